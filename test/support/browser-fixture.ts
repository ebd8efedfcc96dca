/** A server for tests of the built element in a real browser. It serves a page that loads the element, and a fake bind server. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Hono } from 'hono'
import type { BrowserContext, Page } from 'playwright'
import { startListening, stopListening } from '../../server/http/listen.ts'
import type { StateName } from '../../widget/state.ts'
import { createFakeBind, type FakeBind } from './fake-bind.ts'

const root = join(import.meta.dirname, '../..')

/** The self-contained file, for pages without a bundler. */
export const readWidget = () => readFileSync(join(root, 'dist/cdn/wechat-bind.js'), 'utf8')

export type Fixture = { url: string; bind: FakeBind; close(): Promise<void> }

export type FixtureOptions = Parameters<typeof createFakeBind>[0] & {
  /** The page's `Content-Security-Policy`. The default is `STRICT`. */
  policy?: string
  /** The content of `<head>`. The default is a script tag that loads the built file. */
  head?: string
  body?: string
  /** More routes of the server, for example for other files of the page. */
  more?: Hono
}

const toPage = (head: string, body: string) => `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <title>Account</title>
    ${head}
  </head>
  <body>${body}</body>
</html>`

const OWN_FILE = '<script type="module" src="/wechat-bind.js"></script>'

export const STRICT = "default-src 'none'; script-src 'self'; connect-src 'self'"

/** Serves the page on a free port of 127.0.0.1. */
export async function openFixture(options: FixtureOptions = {}): Promise<Fixture> {
  const { policy = STRICT, head = OWN_FILE, body = '<wechat-bind token="token"></wechat-bind>', more } = options
  const bind = createFakeBind(options)
  const script = readWidget()
  const app = new Hono()
    .get('/', (c) => c.html(toPage(head, body), 200, { 'Content-Security-Policy': policy }))
    .get('/wechat-bind.js', (c) =>
      c.body(script, 200, { 'Content-Type': 'text/javascript', 'Access-Control-Allow-Origin': '*' }),
    )
    .get('/token', (c) => c.json({ token: 'token' }))
    .route('/', bind.app)
  if (more) app.route('/', more)
  const { server, url } = await startListening(app, '127.0.0.1', 0)
  return {
    url,
    bind,
    async close() {
      bind.clear()
      await stopListening(server)
    },
  }
}

/** Resolves when the element of the page is in `state`. */
export async function inState(page: Page, state: StateName): Promise<void> {
  await page.waitForFunction((name) => document.querySelector('wechat-bind')?.state === name, state)
}

/**
 * The uncaught errors and the console errors of the page. Violations of the Content-Security-Policy are console errors.
 */
export function consoleErrorsOf(context: BrowserContext): string[] {
  const consoleErrors: string[] = []
  context.on('weberror', (error) => consoleErrors.push(error.error().message))
  context.on('console', (message) => message.type() === 'error' && consoleErrors.push(message.text()))
  return consoleErrors
}
