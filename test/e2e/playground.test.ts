/**
 * Tests the playground in a real browser: the control for every entry of the manifest, the list of events, and the
 * code.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { AxeResults } from 'axe-core'
import type { BrowserContext, Page } from 'playwright'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type Demo, startDemo } from '../../demo/demo.ts'
import { sharedBrowser } from '../support/browser.ts'
import { consoleErrorsOf, inState } from '../support/browser-fixture.ts'

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

const browser = await sharedBrowser()
let context: BrowserContext
let demo: Demo
let folder: string
let consoleErrors: string[]
let page: Page

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'wechat-bind-'))
  demo = await startDemo({ env: { PORT: '0', LOG_LEVEL: 'silent' }, dataDir: folder })
  context = await browser.newContext({
    viewport: { width: 1280, height: 900 },
    permissions: ['clipboard-read', 'clipboard-write'],
  })
  consoleErrors = consoleErrorsOf(context)
  page = await context.newPage()
})
afterEach(async () => {
  await context.close()
  await demo.close()
  rmSync(folder, { recursive: true })
  // The browser logs a violation of the content policy as an error.
  expect(consoleErrors).toEqual([])
})

async function open(query: string): Promise<void> {
  await page.goto(`${demo.url}/playground?${query}`)
  await inState(page, 'ready')
}

const card = () => page.locator('wechat-bind')

describe('the playground', () => {
  test('sets attributes, slots, custom properties, parts and texts, and displays the code for them', async () => {
    await open('lang=en')
    await page.getByTestId('size-small').click()
    await page.getByTestId('slot-title').fill('Acme')
    await page.getByTestId('radius').fill('4px')
    await page.getByRole('button', { name: 'tile', exact: true }).click()
    await page.getByTestId('word-scan').fill('Look here')
    await card().getByText('Look here').waitFor()
    expect(await card().getAttribute('size')).toBe('small')
    expect(await card().locator('[slot=title]').innerText()).toBe('Acme')
    const part = (name: string, property: string) =>
      card()
        .locator(`[part~=${name}]`)
        .evaluate((each, key) => getComputedStyle(each).getPropertyValue(key), property)
    expect(await part('card', 'border-radius')).toBe('4px')
    expect(await part('tile', 'outline-style')).toBe('dashed')

    await page.getByTestId('copy').click()
    await page.getByText('Copied').waitFor()
    const code = await page.evaluate(() => navigator.clipboard.readText())
    expect(code).toContain('size="small"')
    expect(code).toContain('--wechat-bind-radius: 4px')
    expect(code).toContain('"scan": "Look here"')

    await page.reload()
    await card().getByText('Look here').waitFor()
    await page.getByTestId('reset').click()
    expect(await card().getAttribute('size')).not.toBe('small')
  })

  test('scans the QR code on the page, and lists each event', async () => {
    await open('lang=en&a.watch=')
    const events = () => page.getByTestId('events').innerText()
    await page.getByTestId('scan').click()
    await inState(page, 'bound')
    await expect.poll(events).toContain('"initial":false')
    expect(await events()).not.toContain('"reason":"unsubscribe"')
    await page.getByTestId('unfollow').click()
    await expect.poll(events).toContain('"reason":"unsubscribe"')
  })

  test('scans the QR code in the dialog of display="button", and the dialog closes', async () => {
    await page.goto(`${demo.url}/playground?lang=en`)
    await inState(page, 'ready')
    await page.getByTestId('display-button').click()
    await page.getByRole('button', { name: 'open()' }).click()
    await card().getByRole('dialog').waitFor()
    await page.keyboard.press('Escape')
    await inState(page, 'idle')
    await page.getByTestId('scan').click()
    await inState(page, 'bound')
    await card().getByRole('dialog').waitFor({ state: 'hidden' })
    expect(await card().getByRole('button').innerText()).toBe('WeChat is bound')
  })

  test('has a control for every entry of the manifest', async () => {
    await open('lang=en')
    const { modules } = JSON.parse(readFileSync(join(import.meta.dirname, '../../dist/custom-elements.json'), 'utf8'))
    const element = modules.flatMap(({ declarations }: never) => declarations).find(({ tagName }: never) => tagName)
    const names: string[] = [element.attributes, element.slots, element.cssProperties, element.cssParts]
      .flat()
      .map(({ name }) => name.replace('--wechat-bind-', ''))
    const shown = await page.locator('.row > code, .chip').allInnerTexts()
    expect(names.filter((name) => !shown.includes(name))).toEqual([])
  })

  test.each(['en', 'zh-CN'])('has no axe findings and fits a phone screen, in %s', async (lang) => {
    await page.setViewportSize({ width: 360, height: 740 })
    await open(`lang=${lang}`)
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(360)
    await page.evaluate(axe)
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
      const { violations } = await page.evaluate(() =>
        (globalThis as unknown as { axe: { run(): Promise<AxeResults> } }).axe.run(),
      )
      expect(violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html)}`)).toEqual([])
    }
  })
})
