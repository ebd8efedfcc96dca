/** A driver for the Firefox that a Linux distribution ships: Puppeteer, over WebDriver BiDi. */
import { type Browser, launch } from 'puppeteer-core'
import type { Driver } from '../support/driver.ts'

/** `browser.display.document_color_use`: 2 replaces the colours of pages, as the high-contrast mode of the system does. */
const FORCED_COLORS = { 'browser.display.document_color_use': 2 }

/** Firefox 140 ESR reports an `EventSource` that is open when the user leaves or reloads the page as an error of the page. */
const LEFT_STREAM = /^Error: The connection to \S+ was interrupted while the page was loading/

const ALWAYS = {
  // The pages of the tests have no icon, and their content policy forbids it.
  'browser.chrome.site_icons': false,
  'intl.locale.requested': 'en-US',
  'ui.prefersReducedMotion': 1,
  // A machine whose only network is loopback is otherwise offline.
  'network.manage-offline-status': false,
}

export async function openFirefox(executablePath: string): Promise<Driver> {
  const start = (prefs: Record<string, boolean | number | string>) =>
    launch({ browser: 'firefox', executablePath, defaultViewport: null, extraPrefsFirefox: { ...ALWAYS, ...prefs } })
  const browser = await start({})
  /** A preference applies to a whole browser. */
  let forcing: Promise<Browser> | undefined
  return {
    version: await browser.version(),
    async startSession({ width = 1280, height = 900, scale = 1, forcedColors = false } = {}) {
      if (forcedColors) forcing ??= start(FORCED_COLORS)
      const context = await (forcedColors ? await forcing! : browser).createBrowserContext()
      const errors: string[] = []
      return {
        errors,
        async openTab() {
          const page = await context.newPage()
          await page.setViewport({ width, height, deviceScaleFactor: scale }).catch(ignoreUnknownCommand)
          page.on('pageerror', (error) => LEFT_STREAM.test(String(error)) || errors.push(String(error)))
          page.on('console', (message) => message.type() === 'error' && errors.push(message.text()))
          return {
            goto: async (url) => void (await page.goto(url)),
            reload: async () => void (await page.reload()),
            back: async () => void (await page.goBack({ waitUntil: 'domcontentloaded' })),
            show: () => page.bringToFront(),
            run: (task, arg) => page.evaluate(task, arg) as never,
            clickAt: (x, y) => page.mouse.click(x, y),
            type: (text) => page.keyboard.type(text),
            screenshot: async () => Buffer.from(await page.screenshot()),
          }
        },
        close: () => context.close(),
      }
    },
    async close() {
      await (await forcing)?.close()
      await browser.close()
    },
  }
}

/**
 * Puppeteer sends the orientation of the screen together with the size of the window. Firefox 140 ESR knows only the
 * size, which it sets nevertheless.
 */
function ignoreUnknownCommand(error: Error): void {
  if (!error.message.includes('unknown command emulation.setScreenOrientationOverride')) throw error
}
