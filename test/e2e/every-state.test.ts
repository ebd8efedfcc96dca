/** Checks in every state of the element that the card is accessible, has large touch targets and keeps its size. */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { AxeResults } from 'axe-core'
import type { BrowserContextOptions, Page } from 'playwright'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { sharedBrowser } from '../support/browser.ts'
import { setOffline, startOnline } from '../support/network.ts'
import { openScene, type Scene, scenes } from '../support/scenes.ts'

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
const PHONE = 'Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 Chrome/126.0 Mobile'
const desktop = { viewport: { width: 420, height: 700 } }
const phone = { userAgent: PHONE, viewport: { width: 320, height: 640 }, hasTouch: true, isMobile: true }

const ready = scenes.find(({ name }) => name === 'ready')!
/** The scenes in which settings of the page change the size of the card. */
const OTHER_BOX = ['small', 'large', 'slots', 'long title']
/** The button of `display="button"` is not a card. The tests in dialog-and-reading.test.ts cover it. */
const cards = scenes.filter(({ attributes = '' }) => !attributes.includes('display='))

const browser = await sharedBrowser()
/** The size of the card with a QR code. All other states must have the same size. */
let box: { width: number; height: number }

afterAll(() => Promise.all([...pages.values()].map((page) => page.context().close())))
beforeAll(async () => {
  await play(ready, desktop, async (page) => {
    box = await boxOf(page)
  })
})

/** One page for each kind of browser, because a new page starts a new process. Each scene has its own origin, and so its own storage. */
const pages = new Map<string, Page>()

async function pageOf(options: BrowserContextOptions): Promise<Page> {
  const key = JSON.stringify(options)
  const opened = pages.get(key)
  if (opened) return opened
  const context = await browser.newContext({ locale: 'en', reducedMotion: 'reduce', ...options })
  await startOnline(context)
  const page = await context.newPage()
  pages.set(key, page)
  return page
}

/** Opens the page of `scene`, brings the element into the scene's state, and runs `check`. */
async function play(scene: Scene, options: BrowserContextOptions, check: (page: Page) => Promise<void>): Promise<void> {
  const fixture = await openScene(scene)
  const page = await pageOf({ ...options, ...(scene.userAgent && { userAgent: scene.userAgent }) })
  try {
    await page.goto(fixture.url)
    await scene.reach(page, fixture)
    await check(page)
  } finally {
    await page.goto('about:blank')
    await setOffline(page.context(), false)
    await fixture.close()
  }
}

async function boxOf(page: Page): Promise<{ width: number; height: number }> {
  const { width, height } = (await page.locator('wechat-bind').boundingBox())!
  return { width, height }
}

async function violationsOf(page: Page): Promise<string[]> {
  const { violations } = await page.evaluate(async () => {
    const { axe } = globalThis as unknown as { axe: { run(context: string, options: object): Promise<AxeResults> } }
    return axe.run('wechat-bind', {
      resultTypes: ['violations'],
      rules: { 'color-contrast-enhanced': { enabled: false } },
    })
  })
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`)
}

describe.each(cards)('in the state "$name"', (scene) => {
  test('has no axe findings in both themes, has a status text, and keeps the size of the card', async () => {
    await play(scene, desktop, async (page) => {
      await page.evaluate(axe)
      for (const colorScheme of ['light', 'dark'] as const) {
        await page.emulateMedia({ colorScheme })
        expect(await violationsOf(page)).toEqual([])
      }
      const status = page.locator('wechat-bind').getByRole('status')
      expect(await status.count()).toBe(1)
      expect((await status.innerText()).trim()).toMatch(/\S{2}/)
      for (const lang of ['en', 'zh-CN', 'zh-TW']) {
        await page.locator('wechat-bind').evaluate((card, lang) => Object.assign(card, { lang }), lang)
        if (!OTHER_BOX.includes(scene.name)) expect({ lang, ...(await boxOf(page)) }).toEqual({ lang, ...box })
      }
    })
  })

  test('has touch targets of at least 44 px, all inside the card', async () => {
    await play(scene, phone, async (page) => {
      const card = (await page.locator('wechat-bind').boundingBox())!
      expect(card.x + card.width).toBeLessThanOrEqual(320)
      const controls = page.locator('wechat-bind').locator('button, a, input')
      for (const control of await controls.all()) {
        const { x, width, height } = (await control.boundingBox())!
        const label = await control.evaluate((each) => each.outerHTML.slice(0, 80))
        expect({ label, isLarge: width >= 44 && height >= 44 }).toEqual({ label, isLarge: true })
        expect(x).toBeGreaterThanOrEqual(card.x)
        expect(x + width).toBeLessThanOrEqual(card.x + card.width)
      }
    })
  })
})

describe.each(['small', 'medium', 'large'])('on a phone, with size="%s"', (size) => {
  const waiting = { ...ready, attributes: `size="${size}"` }

  test('the card has the same height with and without the QR code, in every language', async () => {
    const loading = scenes.find(({ name }) => name === 'loading')!
    const heights: number[] = []
    for (const scene of [{ ...loading, attributes: waiting.attributes }, waiting]) {
      await play(scene, phone, async (page) => {
        for (const lang of ['en', 'zh-CN', 'zh-TW']) {
          await page.locator('wechat-bind').evaluate((card, lang) => Object.assign(card, { lang }), lang)
          heights.push((await boxOf(page)).height)
        }
      })
    }
    expect(new Set(heights).size).toBe(1)
  })

  test.each(['block', 'grid', 'flex'])('the card with `display: %s` fits into a narrow page', async (display) => {
    await play(waiting, phone, async (page) => {
      await page.locator('main').evaluate((main, display) => {
        Object.assign(main.style, { display, placeItems: 'center', padding: '16px' })
      }, display)
      const { x, width } = (await page.locator('wechat-bind').locator('[part~=tile]').boundingBox())!
      const main = (await page.locator('main').boundingBox())!
      expect(x + width).toBeLessThanOrEqual(main.x + main.width - 16)
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(320)
    })
  })

  test('inside WeChat, the QR code is at least 200 px wide, as a long press needs', async () => {
    const wechat = { ...phone, userAgent: `${PHONE} MicroMessenger/8.0.49` }
    await play(waiting, wechat, async (page) => {
      const picture = (await page.locator('wechat-bind').locator('img').boundingBox())!
      expect(picture.width).toBeGreaterThanOrEqual(200)
    })
  })
})
