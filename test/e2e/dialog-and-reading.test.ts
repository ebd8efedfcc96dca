/**
 * Tests the built element with real key presses: `display="button"`, the keys of a user who types the digits, and text
 * sizes.
 */
import AxeBuilder from 'axe-core'
import type { BrowserContext, Page } from 'playwright'
import { afterEach, describe, expect, test } from 'vitest'
import { sharedBrowser } from '../support/browser.ts'
import { type Fixture, type FixtureOptions, inState, openFixture } from '../support/browser-fixture.ts'

/** The page has no content policy, because the tests set styles that a strict policy would refuse. */
const POLICY = "default-src 'none'; script-src 'self' 'unsafe-inline'; connect-src 'self'; style-src 'unsafe-inline'"

const browser = await sharedBrowser()
let context: BrowserContext
let fixture: Fixture
let page: Page

afterEach(async () => {
  await context.close()
  await fixture.close()
})

async function visit(body: string, options: FixtureOptions = {}, prepare: (fixture: Fixture) => void = () => {}) {
  fixture = await openFixture({ policy: POLICY, body, ...options })
  prepare(fixture)
  context = await browser.newContext({ locale: 'en', reducedMotion: 'reduce' })
  page = await context.newPage()
  page.setDefaultTimeout(10_000)
  await page.goto(fixture.url)
}

const card = () => page.locator('wechat-bind')
const dialog = () => card().locator('dialog')
const button = (name: string | RegExp) => card().getByRole('button', { name })
const untilPolling = () => fixture.bind.untilPolling()

/** Returns the part or the id of the element in the card that has the focus. */
const focused = () =>
  page.evaluate(() => {
    const inner = document.querySelector('wechat-bind')?.shadowRoot?.activeElement
    return inner?.getAttribute('part') ?? inner?.id ?? null
  })

const isOpen = () => dialog().evaluate((element) => (element as HTMLDialogElement).open)

async function scanForCode(): Promise<void> {
  await inState(page, 'ready')
  await untilPolling()
  fixture.bind.change({ state: 'scanned', confirm: 'code' })
  await inState(page, 'scanned')
}

describe('display="button"', () => {
  const body = '<button id="other">Other</button><wechat-bind token="token" display="button"></wechat-bind>'

  test('requests no QR code before the click, and moves the focus into the dialog and back', async () => {
    await visit(body)
    await expect.poll(() => fixture.bind.requests).toEqual(['GET binding'])
    expect(await isOpen()).toBe(false)
    await page.keyboard.press('Tab')
    await page.keyboard.press('Tab')
    expect(await focused()).toBe('button')
    await page.keyboard.press('Enter')
    await inState(page, 'ready')
    expect(await isOpen()).toBe(true)
    expect(await focused()).toBe('card')
    await card().getByRole('dialog', { name: 'Bind WeChat' }).waitFor()

    await page.keyboard.press('Escape')
    await inState(page, 'idle')
    expect(await isOpen()).toBe(false)
    expect(await focused()).toBe('button')
    await expect.poll(() => fixture.bind.waitingPolls).toBe(0)
  })

  test('closes the dialog after a binding, displays on the button that WeChat is bound, and lets the user open the dialog again to unbind', async () => {
    await visit(body)
    await button('Bind WeChat').click()
    await inState(page, 'ready')
    await untilPolling()
    fixture.bind.bind()
    await inState(page, 'bound')
    await expect.poll(isOpen).toBe(false)
    expect(await focused()).toBe('button')

    await button('WeChat is bound').click()
    await button('Unbind').click()
    await button('Unbind').click()
    await inState(page, 'ready')
    expect(await isOpen()).toBe(true)
  })

  test('displays on the button that a WeChat is bound, even before the user opens the dialog', async () => {
    await visit(body, {}, ({ bind }) => bind.bind())
    await button('WeChat is bound').waitFor()
    expect(fixture.bind.requests).toEqual(['GET binding'])
  })

  test('opens with open(), and closes with close(), with a click outside the card and with the close button', async () => {
    await visit(body)
    await card().evaluate((element) => (element as HTMLElement & { open(): void }).open())
    await inState(page, 'ready')
    await card().evaluate((element) => (element as HTMLElement & { close(): void }).close())
    await inState(page, 'idle')
    await page.evaluate(() => document.querySelector('wechat-bind')?.open())
    await inState(page, 'ready')
    await page.mouse.click(2, 2)
    await expect.poll(isOpen).toBe(false)
    await button('Bind WeChat').click()
    await button('Close').click()
    await expect.poll(isOpen).toBe(false)
  })

  test('can open the dialog again after the page removed the element with an open dialog', async () => {
    await visit(body)
    await button('Bind WeChat').click()
    await inState(page, 'ready')
    await page.evaluate(() => {
      const element = document.querySelector('wechat-bind')!
      const parent = element.parentElement!
      element.remove()
      parent.append(element)
    })
    await expect.poll(isOpen).toBe(false)
    await button('Bind WeChat').click()
    await inState(page, 'ready')
    expect(await isOpen()).toBe(true)
  })

  test.each(['light', 'dark'] as const)(
    'has no axe findings in the %s theme: the button, unbound and bound, and the open dialog',
    async (theme) => {
      await visit(body)
      await page.emulateMedia({ colorScheme: theme })
      await expectNoViolations()
      await button('Bind WeChat').click()
      await inState(page, 'ready')
      await expectNoViolations()
      await untilPolling()
      fixture.bind.bind()
      await inState(page, 'bound')
      await page.keyboard.press('Escape')
      await button('WeChat is bound').waitFor()
      await expectNoViolations()
    },
  )

  async function expectNoViolations(): Promise<void> {
    await page.evaluate(AxeBuilder.source)
    const violations = await page.evaluate(async () => {
      const { axe } = globalThis as unknown as { axe: typeof AxeBuilder }
      return (await axe.run('wechat-bind')).violations.map(({ id }) => id)
    })
    expect(violations).toEqual([])
  }
})

describe('the keys that a user presses while typing', () => {
  test('Enter after four digits presses no button, and Escape cancels the question before unbinding', async () => {
    await visit('<wechat-bind token="token"></wechat-bind>')
    await scanForCode()
    await card().getByRole('textbox').focus()
    await page.keyboard.type('4821')
    await inState(page, 'bound')
    await page.keyboard.press('Enter')
    await page.keyboard.press('Space')
    expect(await focused()).toBe('card')
    expect(await card().getByText('Unbind WeChat?').count()).toBe(0)

    await button('Unbind').click()
    await card().getByText('Unbind WeChat?').waitFor()
    await page.keyboard.press('Escape')
    await card().getByText('Unbind WeChat?').waitFor({ state: 'detached' })
    expect(await focused()).toBe('action')
  })

  test('in the dialog, the first Escape cancels the question, and the second one closes the dialog', async () => {
    await visit('<wechat-bind token="token" display="button"></wechat-bind>', {}, ({ bind }) => bind.bind())
    await button('WeChat is bound').click()
    await button('Unbind').click()
    await card().getByText('Unbind WeChat?').waitFor()
    await page.keyboard.press('Escape')
    await card().getByText('Unbind WeChat?').waitFor({ state: 'detached' })
    expect(await isOpen()).toBe(true)
    await page.keyboard.press('Escape')
    await expect.poll(isOpen).toBe(false)
  })

  test('after wrong digits, the hint describes the input, and the input and its focus ring have the colour of errors', async () => {
    await visit('<wechat-bind token="token" theme="light"></wechat-bind>')
    await scanForCode()
    const field = card().getByRole('textbox')
    await field.focus()
    await page.keyboard.type('1111')
    await card().getByText('Wrong digits. Tries left: 2').waitFor()
    expect(await field.getAttribute('aria-describedby')).toBe('hint')
    const hint = card().locator('#hint')
    expect(await hint.innerText()).toBe('Wrong digits. Tries left: 2')
    const danger = 'rgb(197, 34, 31)'
    expect(await hint.evaluate((element) => getComputedStyle(element).color)).toBe(danger)
    expect(await field.evaluate((element) => getComputedStyle(element).outlineColor)).toBe(danger)
    expect(await focused()).toBe('field')
  })
})

describe('the text of the card', () => {
  const sizeOf = (selector: string) =>
    card()
      .locator(selector)
      .evaluate((element) => Number.parseFloat(getComputedStyle(element).fontSize))

  test('changes its size with the font size of the root element, within limits', async () => {
    await visit('<wechat-bind token="token"></wechat-bind>')
    await inState(page, 'ready')
    for (const [root, text] of [
      ['100%', 14],
      ['62.5%', 14],
      ['150%', 21],
      ['200%', 28],
      ['100px', 28],
    ] as const) {
      await page.evaluate((size) => document.documentElement.style.setProperty('font-size', size), root)
      expect([root, await sizeOf('[part=timer]')]).toEqual([root, text])
      expect(await sizeOf('[part=status]')).toBeCloseTo((text * 8) / 7)
    }
  })

  test('has a heading, and the text of the heading changes when a WeChat is bound', async () => {
    await visit('<wechat-bind token="token"></wechat-bind>')
    await card().getByRole('heading', { name: 'Bind WeChat' }).waitFor()
    await untilPolling()
    fixture.bind.bind()
    await card().getByRole('heading', { name: 'WeChat is bound' }).waitFor()
    expect(await card().getByRole('heading').count()).toBe(1)
  })

  test('breaks a long word in the title, and the card with size="small" fits into 248 px', async () => {
    const title = `<b slot="title">${'Donaudampfschifffahrt'.repeat(3)}</b>`
    await visit(`<div style="width: 248px"><wechat-bind token="token" size="small">${title}</wechat-bind></div>`)
    await inState(page, 'ready')
    const { width } = (await card().boundingBox())!
    expect(width).toBe(248)
    expect(await card().evaluate((element) => element.shadowRoot!.querySelector('section')!.scrollWidth)).toBeLessThan(
      249,
    )
  })
})
