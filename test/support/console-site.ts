/** Serves the built page of the console and a fake API, with the content policy of the real server. Node only. */
import { join } from 'node:path'
import { serveStatic } from '@hono/node-server/serve-static'
import { Hono } from 'hono'
import type { FakeConsole } from '../console/support/fake-console.ts'

const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

const root = join(import.meta.dirname, '../../dist/console')

/** Mounts the console below `path`. The path must not end with a slash. */
export const consoleSite = (path: string, { app }: FakeConsole) =>
  new Hono()
    .basePath(path)
    .route('/', app)
    .use('*', async (c, next) => {
      await next()
      c.header('Content-Security-Policy', POLICY)
    })
    .get('*', serveStatic({ root, rewriteRequestPath: (url) => url.slice(path.length) }))
