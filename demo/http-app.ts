/** The demo's HTTP routes on one origin. The demo serves the built pages, its API, the host site's back end and the simulated WeChat. All other paths go to the bind server. Node only. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { serveStatic } from '@hono/node-server/serve-static'
import { type Context, Hono } from 'hono'
import { createRequestGuard, type TrustedNames } from './simulator/request-guard.ts'

type HttpAppParts = {
  control: Hono
  hostSite: Hono
  /** The simulated WeChat. It is undefined if the demo uses a real WeChat account. */
  simulator: Hono | undefined
  bind: (request: Request, bindings: object) => Promise<Response>
  console: (request: Request, bindings: object) => Response | Promise<Response>
  trusted: TrustedNames
  /** The folder with Vite's output: `page` and `cdn`. */
  dist: string
}

/** A strict content policy, which shows that the element needs no other permissions. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data: blob:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')

export function createHttpApp({ control, hostSite, simulator, bind, console, trusted, dist }: HttpAppParts): Hono {
  const page = serveStatic({ root: join(dist, 'page') })
  const cdn = serveStatic({ root: dist })
  const guard = createRequestGuard(trusted)
  return new Hono()
    .on('ALL', ['/', '/api.html', '/playground', '/demo/*', '/host/*', '/console/*'], guard)
    .use('/', withPolicy)
    .get('/', page)
    .use('/api.html', withPolicy)
    .get('/api.html', page)
    .use('/playground', withPolicy)
    .get('/playground', serveStatic({ path: join(dist, 'page/playground.html') }))
    .get('/custom-elements.json', cdn)
    .use('/assets/*', withCache('public, max-age=31536000, immutable'))
    .get('/assets/*', page)
    .use('/cdn/*', withCache('no-cache'))
    .get('/cdn/*', cdn)
    .route('/demo', control)
    .route('/host', hostSite)
    .route('/simulator', simulator ?? new Hono())
    .all('/console/*', (c) => console(c.req.raw, c.env as object))
    .all('*', (c) => bind(c.req.raw, c.env as object))
}

async function withPolicy(c: Context, next: () => Promise<void>): Promise<void> {
  await next()
  c.header('Content-Security-Policy', POLICY)
  c.header('X-Content-Type-Options', 'nosniff')
  c.header('Referrer-Policy', 'no-referrer')
  c.header('Cache-Control', 'no-cache')
}

function withCache(policy: string) {
  return async (c: Context, next: () => Promise<void>): Promise<void> => {
    await next()
    c.header('Cache-Control', policy)
  }
}

/**
 * The output folder. In a checkout it is `../dist`. In the published package it is the folder that contains this file.
 */
export function findDist(): string {
  const places = ['../dist', '..'].map((path) => fileURLToPath(new URL(path, import.meta.url)))
  const found = places.find((place) => existsSync(join(place, 'page/index.html')))
  if (!found)
    throw new Error('The QA page is not built: run "npm run build" first. 测试页尚未构建：请先运行 npm run build。')
  return found
}
