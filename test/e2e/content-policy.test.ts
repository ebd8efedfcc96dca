/**
 * Tests the Content-Security-Policy that a page with the element needs. Tests each row of the table in docs/element.md
 * with and without the directive.
 */
import { createHash } from 'node:crypto'
import { Hono } from 'hono'
import type { BrowserContext, Page } from 'playwright'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { sharedBrowser } from '../support/browser.ts'
import {
  consoleErrorsOf,
  type Fixture,
  type FixtureOptions,
  inState,
  openFixture,
  readWidget,
} from '../support/browser-fixture.ts'
import { startOnline } from '../support/network.ts'

const NOTHING = "default-src 'none'"
const WECHAT = 'Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 Chrome/126.0 Mobile MicroMessenger/8.0.49'

const browser = await sharedBrowser()
let context: BrowserContext
let consoleErrors: string[]
const fixtures: Fixture[] = []

beforeEach(() => enter())
afterEach(async () => {
  await context.close()
  await Promise.all(fixtures.splice(0).map((fixture) => fixture.close()))
})

async function enter(userAgent?: string): Promise<void> {
  context = await browser.newContext({ userAgent })
  await startOnline(context)
  consoleErrors = consoleErrorsOf(context)
}

async function fixtureWith(options: FixtureOptions): Promise<Fixture> {
  const fixture = await openFixture(options)
  fixtures.push(fixture)
  return fixture
}

async function visit(options: FixtureOptions): Promise<{ page: Page; fixture: Fixture }> {
  const fixture = await fixtureWith(options)
  const page = await context.newPage()
  await page.goto(fixture.url)
  return { page, fixture }
}

/** Resolves with the code of the first `binderror`. */
const firstError = (page: Page) =>
  page.evaluate(
    () =>
      new Promise((resolve) => {
        document.addEventListener('binderror', (event) => resolve((event as CustomEvent).detail.code))
      }),
  )

const isDefined = (page: Page) => page.evaluate(() => customElements.get('wechat-bind') !== undefined)

const qrTag = (page: Page) =>
  page
    .locator('wechat-bind')
    .locator('[part~=qr]')
    .evaluate(({ localName }) => localName)

describe("a content policy with default-src 'none'", () => {
  const policy = `${NOTHING}; script-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`

  test('needs only script-src and connect-src on a desktop, and causes no console errors', async () => {
    const { page, fixture } = await visit({ policy })
    await inState(page, 'ready')
    const element = page.locator('wechat-bind')
    expect(await element.locator('[part~=card]').evaluate((card) => getComputedStyle(card).borderRadius)).toBe('12px')
    await element.getByRole('button').click()
    await element.locator('[part~=code]').waitFor()
    fixture.bind.bind()
    await inState(page, 'bound')
    expect(consoleErrors).toEqual([])
  })

  const trusting = (names: string) => `${policy}; require-trusted-types-for 'script'; trusted-types ${names}`

  test('can require Trusted Types', async () => {
    const { page } = await visit({ policy: trusting('lit-html') })
    await inState(page, 'ready')
    expect(consoleErrors).toEqual([])
  })

  test('prevents the registration of the tag if trusted-types does not list the policy of lit', async () => {
    const { page } = await visit({ policy: trusting("'none'") })
    expect(await isDefined(page)).toBe(false)
  })

  test("needs 'allow-duplicates' in trusted-types on a page with another copy of lit", async () => {
    const lit = new Hono().get('/lit.js', (c) =>
      c.body("trustedTypes.createPolicy('lit-html', { createHTML: (text) => text })", 200, {
        'Content-Type': 'text/javascript',
      }),
    )
    const head = '<script src="/lit.js"></script><script type="module" src="/wechat-bind.js"></script>'
    const { page } = await visit({ policy: trusting("lit-html 'allow-duplicates'"), head, more: lit })
    await inState(page, 'ready')
    expect(consoleErrors).toEqual([])

    const { page: refused } = await visit({ policy: trusting('lit-html'), head, more: lit })
    expect(await isDefined(refused)).toBe(false)
  })

  test('prevents the registration of the tag without script-src', async () => {
    const { page } = await visit({ policy: `${NOTHING}; connect-src 'self'`, body: '<wechat-bind>later</wechat-bind>' })
    expect(await isDefined(page)).toBe(false)
    expect(await page.getByText('later').isVisible()).toBe(true)
  })

  test('without connect-src, lets the element display and report an error', async () => {
    const { page, fixture } = await visit({ policy: `${NOTHING}; script-src 'self'` })
    expect(await firstError(page)).toBe('NETWORK')
    await inState(page, 'error')
    expect(fixture.bind.requests).toEqual([])
  })

  test('lets the element display an error if connect-src forbids token-url', async () => {
    const other = await fixtureWith({})
    const { page } = await visit({
      policy: `${NOTHING}; script-src 'self'; connect-src ${other.url}`,
      body: `<wechat-bind server="${other.url}" token-url="/token"></wechat-bind>`,
    })
    expect(await firstError(page)).toBe('NO_TOKEN')
    await inState(page, 'error')
  })
})

describe("the element's file from another origin", () => {
  const integrity = `sha384-${createHash('sha384').update(readWidget()).digest('base64')}`
  const pageOf = (origin: string, more = '') => ({
    head: `<script type="module" crossorigin src="${origin}/wechat-bind.js"${more}></script>`,
    body: `<wechat-bind server="${origin}" token-url="/token"></wechat-bind>`,
  })

  test("needs this other origin in script-src and connect-src, and 'self' in connect-src for the token", async () => {
    const other = await fixtureWith({})
    const policy = `${NOTHING}; script-src ${other.url}; connect-src ${other.url} 'self'`
    const { page } = await visit({ policy, ...pageOf(other.url) })
    await inState(page, 'ready')
    expect(other.bind.requests).toContain('POST qrcode')
    expect(consoleErrors).toEqual([])
  })

  test('is accepted with its integrity hash, and rejected with another hash', async () => {
    const other = await fixtureWith({})
    const policy = `${NOTHING}; script-src ${other.url}; connect-src ${other.url} 'self'`
    const { page } = await visit({ policy, ...pageOf(other.url, ` integrity="${integrity}"`) })
    await inState(page, 'ready')

    const wrong = integrity.replace(/.{4}$/, 'AAAA')
    const { page: refused } = await visit({ policy, ...pageOf(other.url, ` integrity="${wrong}"`) })
    expect(await isDefined(refused)).toBe(false)
  })

  test("is not loaded with script-src 'none'", async () => {
    const other = await fixtureWith({})
    const policy = `${NOTHING}; script-src 'none'; connect-src ${other.url}`
    const { page } = await visit({ policy, ...pageOf(other.url) })
    expect(await isDefined(page)).toBe(false)
  })
})

describe('the QR code that a user long-presses inside WeChat', () => {
  const policy = `${NOTHING}; script-src 'self'; connect-src 'self'`

  test('is a PNG with img-src data:', async () => {
    await context.close()
    await enter(WECHAT)
    const { page } = await visit({ policy: `${policy}; img-src data:` })
    await inState(page, 'ready')
    expect(await qrTag(page)).toBe('img')
    expect(consoleErrors).toEqual([])
  })

  test('is an SVG without img-src data:', async () => {
    await context.close()
    await enter(WECHAT)
    const { page } = await visit({ policy })
    await inState(page, 'ready')
    await expect.poll(() => qrTag(page)).toBe('svg')
  })
})
