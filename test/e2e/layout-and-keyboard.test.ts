/** One visit from the first QR to the last, watched by what a person would notice: a page that jumps, keys that do nothing, chatter. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { inState, openStage, STRICT, type Stage } from '../support/browser-stage.ts'
import { launchOptions } from '../support/chromium.ts'

/** https://wicg.github.io/layout-instability: not in TypeScript's DOM yet. */
type Entry = { value: number; sources: { previousRect: DOMRect; currentRect: DOMRect }[] }
type Shift = { value: number; moves: string[] }

let browser: Browser
let context: BrowserContext
let stage: Stage
let page: Page

beforeAll(async () => {
  browser = await chromium.launch(await launchOptions())
})
afterAll(() => browser.close())

beforeEach(async () => {
  stage = await openStage({
    policy: `${STRICT}; style-src 'self'`,
    body: '<input aria-label="Name" /><p><wechat-bind token="token" manual></wechat-bind></p><p id="below">Below</p>',
  })
  context = await browser.newContext({ locale: 'en', reducedMotion: 'reduce' })
  page = await context.newPage()
  await page.goto(stage.url)
  await inState(page, 'idle')
})
afterEach(async () => {
  await context.close()
  await stage.close()
})

const card = () => page.locator('wechat-bind')
const button = (name: string | RegExp) => card().getByRole('button', { name })

const parked = () => expect.poll(() => stage.bind.waitingPolls).toBe(1)

async function scan(confirm: 'reply' | 'code'): Promise<void> {
  await parked()
  stage.bind.change({ state: 'scanned', confirm })
  await inState(page, 'scanned')
}

async function bind(): Promise<void> {
  await parked()
  stage.bind.bind()
  await inState(page, 'bound')
}

async function watchShifts(): Promise<void> {
  await page.evaluate(() => {
    const shifts: Shift[] = []
    Object.assign(globalThis, { shifts })
    // Without mercy: what follows a click counts too.
    new PerformanceObserver((list) => {
      for (const { value, sources } of list.getEntries() as unknown as Entry[]) {
        const toText = ({ x, y, width, height }: DOMRect) => `${x},${y} ${width}x${height}`
        const moves = sources.map(
          ({ previousRect, currentRect }) => `${toText(previousRect)} -> ${toText(currentRect)}`,
        )
        shifts.push({ value, moves })
      }
    }).observe({ type: 'layout-shift' })
  })
}

/** Two frames later: an entry is told after the frame that it belongs to. */
const shifts = (): Promise<Shift[]> =>
  page.evaluate(
    () =>
      new Promise((resolve) => {
        const tell = () => resolve((globalThis as unknown as { shifts: Shift[] }).shifts)
        requestAnimationFrame(() => requestAnimationFrame(tell))
      }),
  )

/** By the state's first or last control: words are not this file's business. */
async function visitEveryState(): Promise<void> {
  const press = (at: 'first' | 'last') => card().getByRole('button')[at]().click()
  await press('first')
  await inState(page, 'ready')
  await press('first')
  await card().locator('[part~=code]').waitFor()
  await press('last')
  await scan('reply')
  stage.bind.change({ state: 'scanned', confirm: 'code' })
  await card().getByRole('textbox').fill('1111')
  await card().locator('[aria-invalid=true]').waitFor()
  await bind()
  await press('first')
  await press('last')
  await inState(page, 'idle')
  stage.bind.setTicketLifetime(2)
  await page.evaluate(() => document.querySelector('wechat-bind')?.setAttribute('refresh', 'manual'))
  await press('first')
  await inState(page, 'expired')
  stage.bind.setTicketLifetime(120)
  await press('first')
  await inState(page, 'ready')
  await context.setOffline(true)
  await inState(page, 'offline')
  await context.setOffline(false)
  await inState(page, 'ready')
  stage.bind.refuse('qrcode', { code: 'WECHAT_FORBIDDEN', status: 502 })
  await page.evaluate(() => (document.querySelector('wechat-bind') as unknown as { refresh(): void }).refresh())
  await inState(page, 'error')
}

describe('a visit', () => {
  test('moves nothing on the page, whatever becomes of the card', async () => {
    await watchShifts()
    const below = await page.locator('#below').boundingBox()
    await visitEveryState()
    expect(await page.locator('#below').boundingBox()).toEqual(below)
    const total = (await shifts()).reduce((sum, { value }) => sum + value, 0)
    expect(total.toFixed(2)).toBe('0.00')
  })

  test('moves no word and no button inside the card either', async () => {
    await watchShifts()
    await visitEveryState()
    expect(await shifts()).toEqual([])
  })

  test('moves no word when the time left gets shorter', async () => {
    stage.bind.setTicketLifetime(601)
    await card().getByRole('button').first().click()
    await inState(page, 'ready')
    await watchShifts()
    await card().getByText('9:59').waitFor()
    expect(await shifts()).toEqual([])
  })

  test('goes by keyboard alone, and the focus stays in the card when a control goes', async () => {
    const focused = () =>
      page.evaluate(() => {
        const inner = document.activeElement?.shadowRoot?.activeElement
        if (!inner) return null
        const { outlineStyle, outlineWidth } = getComputedStyle(inner)
        return {
          label: (inner.textContent || inner.getAttribute('aria-label'))?.trim(),
          ring: `${outlineStyle} ${outlineWidth}`,
        }
      })
    await page.getByLabel('Name').focus()
    await page.keyboard.press('Tab')
    expect(await focused()).toEqual({ label: expect.stringMatching(/QR/), ring: 'solid 2px' })
    await page.keyboard.press('Enter')
    await inState(page, 'ready')
    expect(await focused()).not.toBeNull()

    await button(/scan/i).press('Space')
    await card().locator('[part~=code]').waitFor()
    expect(await focused()).not.toBeNull()
    await scan('code')
    expect(await focused()).not.toBeNull()
    await card().getByRole('textbox').focus()
    await page.keyboard.type('4821')
    await inState(page, 'bound')
    expect(await focused()).not.toBeNull()

    await card().getByRole('button').press('Enter')
    await expect.poll(() => card().getByRole('button').count()).toBe(2)
    await card().getByRole('button').last().press('Enter')
    await inState(page, 'idle')
    expect(stage.bind.requests).toContain('DELETE binding')
    expect(await focused()).not.toBeNull()
  })

  test('takes the focus from nobody', async () => {
    await card().getByRole('button').click()
    await inState(page, 'ready')
    await page.getByLabel('Name').focus()
    await scan('code')
    await bind()
    expect(await page.evaluate(() => document.activeElement?.localName)).toBe('input')
  })

  test('is told to a screen reader once per state, and never by the second', async () => {
    await card().evaluate((element) => {
      const told: string[] = []
      const status = element.shadowRoot?.querySelector('[role=status]') as HTMLElement
      const note = () => {
        const words = status.innerText.trim()
        if (words !== told.at(-1)) told.push(words)
      }
      new MutationObserver(note).observe(status, { childList: true, characterData: true, subtree: true })
      Object.assign(globalThis, { told, live: status })
    })
    await card().getByRole('button').click()
    await inState(page, 'ready')
    const told = () => page.evaluate(() => [...(globalThis as unknown as { told: string[] }).told])
    await expect.poll(async () => (await told()).at(-1)).toMatch(/scan/i)
    const before = await told()
    const timer = card().locator('[part~=timer]')
    for (let second = 0; second < 2; second++) {
      const shown = await timer.innerText()
      await expect.poll(() => timer.innerText(), { timeout: 5000 }).not.toBe(shown)
    }
    expect(await told()).toEqual(before)

    await scan('reply')
    await bind()
    await expect.poll(async () => (await told()).length).toBe(before.length + 2)
    // The same live region all the way: one that is replaced is not heard.
    expect(await page.evaluate(() => (globalThis as unknown as { live: Element }).live.isConnected)).toBe(true)
  })
})

describe('the place that the style sheet of docs/element.md holds', () => {
  test.each(['README.md', 'README.zh-CN.md'])('is as large as the card, in %s', async (file) => {
    const text = readFileSync(join(import.meta.dirname, '../../widget', file), 'utf8')
    const [rule = '', width, height] =
      /wechat-bind:not\(:defined\) \{.*width: (\d+)px; height: (\d+)px \}/.exec(text) ?? []
    expect(rule).not.toBe('')
    expect(await card().boundingBox()).toMatchObject({ width: Number(width), height: Number(height) })
  })
})
