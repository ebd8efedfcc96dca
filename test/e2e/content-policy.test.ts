/** What a page's Content-Security-Policy has to allow: each line of the table in docs/element.md, with it and without. */
import { createHash } from 'node:crypto'
import { Hono } from 'hono'
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import {
  complaintsOf,
  inState,
  openStage,
  readWidget,
  type Stage,
  type StageOptions,
} from '../support/browser-stage.ts'
import { launchOptions } from '../support/chromium.ts'

const NOTHING = "default-src 'none'"
const WECHAT = 'Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 Chrome/126.0 Mobile MicroMessenger/8.0.49'

let browser: Browser
let context: BrowserContext
let complaints: string[]
const stages: Stage[] = []

beforeAll(async () => {
  browser = await chromium.launch(await launchOptions())
})
afterAll(() => browser.close())

beforeEach(() => enter())
afterEach(async () => {
  await context.close()
  await Promise.all(stages.splice(0).map((stage) => stage.close()))
})

async function enter(userAgent?: string): Promise<void> {
  context = await browser.newContext({ userAgent })
  complaints = complaintsOf(context)
}

async function stageWith(options: StageOptions): Promise<Stage> {
  const stage = await openStage(options)
  stages.push(stage)
  return stage
}

async function visit(options: StageOptions): Promise<{ page: Page; stage: Stage }> {
  const stage = await stageWith(options)
  const page = await context.newPage()
  await page.goto(stage.url)
  return { page, stage }
}

/** The code of the first `binderror`. */
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

describe('a content policy that allows nothing', () => {
  const policy = `${NOTHING}; script-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`

  test('needs two more lines on a desk, and not a word of complaint comes', async () => {
    const { page, stage } = await visit({ policy })
    await inState(page, 'ready')
    const element = page.locator('wechat-bind')
    expect(await element.locator('[part~=card]').evaluate((card) => getComputedStyle(card).borderRadius)).toBe('12px')
    await element.getByRole('button').click()
    await element.locator('[part~=code]').waitFor()
    stage.bind.bind()
    await inState(page, 'bound')
    expect(complaints).toEqual([])
  })

  const trusting = (names: string) => `${policy}; require-trusted-types-for 'script'; trusted-types ${names}`

  test('goes with Trusted Types', async () => {
    const { page } = await visit({ policy: trusting('lit-html') })
    await inState(page, 'ready')
    expect(complaints).toEqual([])
  })

  test('keeps the tag unknown where Trusted Types are named and the policy of lit is not', async () => {
    const { page } = await visit({ policy: trusting("'none'") })
    expect(await isDefined(page)).toBe(false)
  })

  test("needs 'allow-duplicates' in a page with a lit of its own", async () => {
    const lit = new Hono().get('/lit.js', (c) =>
      c.body("trustedTypes.createPolicy('lit-html', { createHTML: (text) => text })", 200, {
        'Content-Type': 'text/javascript',
      }),
    )
    const head = '<script src="/lit.js"></script><script type="module" src="/wechat-bind.js"></script>'
    const { page } = await visit({ policy: trusting("lit-html 'allow-duplicates'"), head, more: lit })
    await inState(page, 'ready')
    expect(complaints).toEqual([])

    const { page: refused } = await visit({ policy: trusting('lit-html'), head, more: lit })
    expect(await isDefined(refused)).toBe(false)
  })

  test('keeps the tag unknown without script-src', async () => {
    const { page } = await visit({ policy: `${NOTHING}; connect-src 'self'`, body: '<wechat-bind>later</wechat-bind>' })
    expect(await isDefined(page)).toBe(false)
    expect(await page.getByText('later').isVisible()).toBe(true)
  })

  test('shows an error without connect-src, and tells the page which', async () => {
    const { page, stage } = await visit({ policy: `${NOTHING}; script-src 'self'` })
    expect(await firstError(page)).toBe('NETWORK')
    await inState(page, 'error')
    expect(stage.bind.requests).toEqual([])
  })

  test('shows an error where token-url may not be asked', async () => {
    const other = await stageWith({})
    const { page } = await visit({
      policy: `${NOTHING}; script-src 'self'; connect-src ${other.url}`,
      body: `<wechat-bind server="${other.url}" token-url="/token"></wechat-bind>`,
    })
    expect(await firstError(page)).toBe('NO_TOKEN')
    await inState(page, 'error')
  })
})

describe('the file of another origin', () => {
  const integrity = `sha384-${createHash('sha384').update(readWidget()).digest('base64')}`
  const pageOf = (origin: string, more = '') => ({
    head: `<script type="module" crossorigin src="${origin}/wechat-bind.js"${more}></script>`,
    body: `<wechat-bind server="${origin}" token-url="/token"></wechat-bind>`,
  })

  test('needs its origin for the script and the requests, and the page for its token', async () => {
    const other = await stageWith({})
    const policy = `${NOTHING}; script-src ${other.url}; connect-src ${other.url} 'self'`
    const { page } = await visit({ policy, ...pageOf(other.url) })
    await inState(page, 'ready')
    expect(other.bind.requests).toContain('POST qrcode')
    expect(complaints).toEqual([])
  })

  test('is taken by its integrity, and refused when a byte of it is another', async () => {
    const other = await stageWith({})
    const policy = `${NOTHING}; script-src ${other.url}; connect-src ${other.url} 'self'`
    const { page } = await visit({ policy, ...pageOf(other.url, ` integrity="${integrity}"`) })
    await inState(page, 'ready')

    const wrong = integrity.replace(/.{4}$/, 'AAAA')
    const { page: refused } = await visit({ policy, ...pageOf(other.url, ` integrity="${wrong}"`) })
    expect(await isDefined(refused)).toBe(false)
  })

  test('is not loaded where only the page itself may be', async () => {
    const other = await stageWith({})
    const policy = `${NOTHING}; script-src 'none'; connect-src ${other.url}`
    const { page } = await visit({ policy, ...pageOf(other.url) })
    expect(await isDefined(page)).toBe(false)
  })
})

describe('the picture to press long', () => {
  const policy = `${NOTHING}; script-src 'self'; connect-src 'self'`

  test('is a PNG with img-src data:', async () => {
    await context.close()
    await enter(WECHAT)
    const { page } = await visit({ policy: `${policy}; img-src data:` })
    await inState(page, 'ready')
    expect(await qrTag(page)).toBe('img')
    expect(complaints).toEqual([])
  })

  test('is drawn as on a desk without it', async () => {
    await context.close()
    await enter(WECHAT)
    const { page } = await visit({ policy })
    await inState(page, 'ready')
    await expect.poll(() => qrTag(page)).toBe('svg')
  })
})
