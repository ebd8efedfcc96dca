/** Tests for layout shifts, keyboard use and screen reader announcements in all states of the card. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Hono } from 'hono'
import type { BrowserContext, Page } from 'playwright'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { sharedBrowser } from '../support/browser.ts'
import { type Fixture, inState, openFixture, STRICT } from '../support/browser-fixture.ts'
import { setOffline, startOnline } from '../support/network.ts'

/** An entry of https://wicg.github.io/layout-instability. TypeScript's DOM types do not contain this type yet. */
type Entry = { value: number; sources: { previousRect: DOMRect; currentRect: DOMRect }[] }
type Shift = { value: number; moves: string[] }

const browser = await sharedBrowser()
let context: BrowserContext
let fixture: Fixture
let page: Page

const readDocs = (file: string) => readFileSync(join(import.meta.dirname, '../../docs', file), 'utf8')

/** The rule that the docs recommend: it reserves the space of the card until the element is defined. */
const [reservedSpace = ''] = /^wechat-bind:not\(:defined\).*$/m.exec(readDocs('element.md')) ?? []

beforeEach(async () => {
  fixture = await openFixture({
    policy: `${STRICT}; style-src 'self'`,
    head: '<link rel="stylesheet" href="/page.css" /><script type="module" src="/wechat-bind.js"></script>',
    more: new Hono().get('/page.css', (c) => c.body(reservedSpace, 200, { 'Content-Type': 'text/css' })),
    body: '<input aria-label="Name" /><p><wechat-bind token="token" manual></wechat-bind></p><p id="below">Below</p>',
  })
  context = await browser.newContext({ locale: 'en', reducedMotion: 'reduce' })
  await startOnline(context)
  page = await context.newPage()
  await page.goto(fixture.url)
  await inState(page, 'idle')
})
afterEach(async () => {
  await context.close()
  await fixture.close()
})

const card = () => page.locator('wechat-bind')
const button = (name: string | RegExp) => card().getByRole('button', { name })

const untilPolling = () => fixture.bind.untilPolling()

async function scan(confirm: 'reply' | 'code'): Promise<void> {
  await untilPolling()
  fixture.bind.change({ state: 'scanned', confirm })
  await inState(page, 'scanned')
}

async function bind(): Promise<void> {
  await untilPolling()
  fixture.bind.bind()
  await inState(page, 'bound')
}

/** Collects the layout shifts since the page was opened. */
async function watchShifts(): Promise<void> {
  await page.evaluate(() => {
    const shifts: Shift[] = []
    Object.assign(globalThis, { shifts })
    // The CLS metric ignores shifts shortly after a click. This test counts them, too.
    new PerformanceObserver((list) => {
      for (const { value, sources } of list.getEntries() as unknown as Entry[]) {
        const toText = ({ x, y, width, height }: DOMRect) => `${x},${y} ${width}x${height}`
        const moves = sources.map(
          ({ previousRect, currentRect }) => `${toText(previousRect)} -> ${toText(currentRect)}`,
        )
        shifts.push({ value, moves })
      }
    }).observe({ type: 'layout-shift', buffered: true })
  })
}

/**
 * Returns the layout shifts so far. Waits for two frames first, because the browser reports a shift only after its
 * frame.
 */
const shifts = (): Promise<Shift[]> =>
  page.evaluate(
    () =>
      new Promise((resolve) => {
        const report = () => resolve((globalThis as unknown as { shifts: Shift[] }).shifts)
        requestAnimationFrame(() => requestAnimationFrame(report))
      }),
  )

/**
 * Goes through all states. Presses the first or the last button of a state, so that the test does not depend on the
 * texts.
 */
async function showEveryState(): Promise<void> {
  const press = (at: 'first' | 'last') => card().getByRole('button')[at]().click()
  await press('first')
  await inState(page, 'ready')
  await press('first')
  await card().locator('[part~=code]').waitFor()
  await press('last')
  await scan('reply')
  fixture.bind.change({ state: 'scanned', confirm: 'code' })
  await card().getByRole('textbox').fill('1111')
  await card().locator('[aria-invalid=true]').waitFor()
  await bind()
  await press('first')
  await press('last')
  await inState(page, 'idle')
  fixture.bind.setTicketLifetime(2)
  await page.evaluate(() => document.querySelector('wechat-bind')?.setAttribute('refresh', 'manual'))
  await press('first')
  await inState(page, 'expired')
  fixture.bind.setTicketLifetime(120)
  await press('first')
  await inState(page, 'ready')
  await setOffline(context, true)
  await inState(page, 'offline')
  await setOffline(context, false)
  await inState(page, 'ready')
  fixture.bind.refuse('qrcode', { code: 'WECHAT_FORBIDDEN', status: 502 })
  await page.evaluate(() => (document.querySelector('wechat-bind') as unknown as { refresh(): void }).refresh())
  await inState(page, 'error')
}

describe('the card in all states', () => {
  test('causes no layout shift on the page', async () => {
    await watchShifts()
    const below = await page.locator('#below').boundingBox()
    await showEveryState()
    expect(await page.locator('#below').boundingBox()).toEqual(below)
    const total = (await shifts()).reduce((sum, { value }) => sum + value, 0)
    expect(total.toFixed(2)).toBe('0.00')
  })

  test('causes no layout shift inside the card', async () => {
    await watchShifts()
    await showEveryState()
    expect(await shifts()).toEqual([])
  })

  test('causes no layout shift when the remaining time gets shorter', async () => {
    fixture.bind.setTicketLifetime(601)
    await card().getByRole('button').first().click()
    await inState(page, 'ready')
    await watchShifts()
    await card().getByText('9:59').waitFor()
    expect(await shifts()).toEqual([])
  })

  test('can be used with the keyboard, and the focus stays in the card when the focused control is removed', async () => {
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
    expect(fixture.bind.requests).toContain('DELETE binding')
    expect(await focused()).not.toBeNull()
  })

  test('does not take the focus from the page', async () => {
    await card().getByRole('button').click()
    await inState(page, 'ready')
    await page.getByLabel('Name').focus()
    await scan('code')
    await bind()
    expect(await page.evaluate(() => document.activeElement?.localName)).toBe('input')
  })

  test('is announced once in each state, but not every second', async () => {
    await card().evaluate((element) => {
      const reported: string[] = []
      const status = element.shadowRoot?.querySelector('[role=status]') as HTMLElement
      const note = () => {
        const words = status.innerText.trim()
        if (words !== reported.at(-1)) reported.push(words)
      }
      new MutationObserver(note).observe(status, { childList: true, characterData: true, subtree: true })
      Object.assign(globalThis, { reported, live: status })
    })
    await card().getByRole('button').click()
    await inState(page, 'ready')
    const reported = () => page.evaluate(() => [...(globalThis as unknown as { reported: string[] }).reported])
    await expect.poll(async () => (await reported()).at(-1)).toMatch(/scan/i)
    const before = await reported()
    const timer = card().locator('[part~=timer]')
    for (let second = 0; second < 2; second++) {
      const shown = await timer.innerText()
      await expect.poll(() => timer.innerText()).not.toBe(shown)
    }
    expect(await reported()).toEqual(before)

    await scan('reply')
    await bind()
    await expect.poll(async () => (await reported()).length).toBe(before.length + 2)
    // The live region must stay the same element, because screen readers do not announce a replaced element.
    expect(await page.evaluate(() => (globalThis as unknown as { live: Element }).live.isConnected)).toBe(true)
  })
})

describe('the placeholder size in docs/element.md', () => {
  test.each(['element.md', 'element.zh-CN.md'])('equals the size of the card, in %s', async (file) => {
    const text = readDocs(file)
    const [rule = '', width, height] =
      /wechat-bind:not\(:defined\) \{.*width: (\d+)px; height: (\d+)px \}/.exec(text) ?? []
    expect(rule).not.toBe('')
    expect(await card().boundingBox()).toMatchObject({ width: Number(width), height: Number(height) })
  })

  test('equals the table of sizes, for each value of `size`', async () => {
    const text = readDocs('element.md')
    const rows = [...text.matchAll(/^\| `(small|medium|large)` \| \d+ px \| (\d+) × (\d+) px \|$/gm)]
    expect(rows).toHaveLength(3)
    for (const [, size = '', width, height] of rows) {
      await card().evaluate((element, size) => element.setAttribute('size', size), size)
      await expect.poll(() => card().boundingBox()).toMatchObject({ width: Number(width), height: Number(height) })
    }
  })
})
