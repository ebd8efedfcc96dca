/**
 * Tests the built element on pages that try to divert its requests to another origin. The requests and the token must
 * go only to the URLs that the page has set.
 */
import { Hono } from 'hono'
import type { Page } from 'playwright'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type Listening, startListening, stopListening } from '../../server/http/listen.ts'
import { sharedBrowser } from '../support/browser.ts'
import { type Fixture, type FixtureOptions, inState, openFixture } from '../support/browser-fixture.ts'

/** The content policy allows every request, so that nothing but the element protects the token. */
const OPEN_POLICY = "default-src 'none'; script-src 'self'; connect-src *"

const browser = await sharedBrowser()
let page: Page
/** The other origin. It accepts and records every request of a page. */
let stranger: Listening
let received: string[]
let fixture: Fixture

beforeEach(async () => {
  received = []
  const app = new Hono().all('*', (c) => {
    received.push(`${c.req.method} ${c.req.path}`)
    return c.json({ token: 'token' }, 200, {
      'Access-Control-Allow-Origin': c.req.header('Origin') ?? '*',
      'Access-Control-Allow-Credentials': 'true',
      'Access-Control-Allow-Headers': 'authorization, content-type, if-none-match, prefer',
      'Access-Control-Allow-Methods': 'GET, POST, DELETE',
    })
  })
  stranger = await startListening(app, '127.0.0.1', 0)
  page = await browser.newPage()
})
afterEach(async () => {
  await page.close()
  await fixture.close()
  await stopListening(stranger.server)
})

async function visit(options: FixtureOptions): Promise<void> {
  fixture = await openFixture({ policy: OPEN_POLICY, ...options })
  await page.goto(fixture.url)
}

/** `<base>` must come after the script. Otherwise it would also change the URL of the script. */
const headWithBase = () => `<script type="module" src="/wechat-bind.js"></script><base href="${stranger.url}/">`

const element = '<wechat-bind token-url="/token"></wechat-bind>'

describe('a page with a <base> of another origin', () => {
  test('gets the token and the QR code from its own origin', async () => {
    await visit({ head: headWithBase(), body: element })
    await inState(page, 'ready')
    expect(await page.evaluate(() => document.baseURI)).toBe(`${stranger.url}/`)
    expect(fixture.bind.requests).toContain('POST qrcode')
    expect(received).toEqual([])
  })

  test('in an iframe with srcdoc, gets the token and the QR code from the origin of the outer page', async () => {
    const inner = (headWithBase() + element).replaceAll('"', '&quot;')
    await visit({ head: '', body: `<iframe srcdoc="${inner}" width="400" height="500"></iframe>` })
    const frame = page.frames()[1]
    await frame?.waitForFunction(() => document.querySelector('wechat-bind')?.state === 'ready')
    expect(await frame?.evaluate(() => [location.href, document.baseURI])).toEqual(['about:srcdoc', `${stranger.url}/`])
    expect(received).toEqual([])
  })
})

describe('a redirect to another origin', () => {
  /**
   * Returns a route that redirects `path` to the other origin, and a function that returns the number of requests to
   * `path`.
   */
  function redirect(method: string, path: string): { more: Hono; count: () => number } {
    let count = 0
    const more = new Hono().on(method, path, (c) => {
      count += 1
      return c.redirect(`${stranger.url}${path}`, 307)
    })
    return { more, count: () => count }
  }

  // The element sends the second request only after the first request has failed.
  test('is not followed for a request with the token', async () => {
    const { more, count } = redirect('POST', '/bind/widget/qrcode')
    await visit({ body: '<wechat-bind server="/bind" token="token"></wechat-bind>', more })
    await expect.poll(count).toBeGreaterThan(1)
    expect(received).toEqual([])
  })

  test('is not followed for the request to token-url', async () => {
    const { more, count } = redirect('GET', '/signed-out')
    await visit({ body: '<wechat-bind token-url="/signed-out"></wechat-bind>', more })
    await inState(page, 'error')
    await page.getByText('Your session has ended. Reload the page.').waitFor()
    expect(count()).toBe(1)
    expect(received).toEqual([])
    expect(fixture.bind.requests).toEqual([])
  })
})
