/** Drives a browser with Playwright. */
import type { Browser } from 'playwright'
import type { Driver } from './driver.ts'

/** `close` ends the browser. */
export function createPlaywrightDriver(browser: Browser, close: () => Promise<void> = () => browser.close()): Driver {
  return {
    version: browser.version(),
    async startSession({ width = 1280, height = 900, scale = 1, forcedColors = false } = {}) {
      const context = await browser.newContext({
        locale: 'en-US',
        viewport: { width, height },
        deviceScaleFactor: scale,
        reducedMotion: 'reduce',
        ...(forcedColors && { forcedColors: 'active' }),
      })
      const errors: string[] = []
      context.on('weberror', (error) => errors.push(error.error().message))
      context.on('console', (message) => message.type() === 'error' && errors.push(message.text()))
      return {
        errors,
        async openTab() {
          const page = await context.newPage()
          return {
            goto: async (url) => void (await page.goto(url)),
            reload: async () => void (await page.reload()),
            back: async () => void (await page.goBack({ waitUntil: 'commit' })),
            show: () => page.bringToFront(),
            run: (task, arg) => page.evaluate(task as never, arg as never),
            clickAt: (x, y) => page.mouse.click(x, y),
            type: (text) => page.keyboard.type(text),
            screenshot: () => page.screenshot(),
          }
        },
        close: () => context.close(),
      }
    },
    close,
  }
}
