/** A driver for WebKitGTK: Selenium, over WebDriver. A session has a browser of its own, with a window for each tab. */
import { Builder, Capabilities, type WebDriver } from 'selenium-webdriver'
import { findFreePort } from 'selenium-webdriver/net/portprober.js'
import { DriverService } from 'selenium-webdriver/remote/index.js'
import type { Driver, Tab } from '../support/driver.ts'

const NAME = 'MiniBrowser'

export async function openWebkit(driverPath: string, browserPath: string, display: string): Promise<Driver> {
  async function start(scale: number): Promise<{ browser: WebDriver; service: DriverService }> {
    const port = await findFreePort()
    // LANG: with `C`, `navigator.language` is a tag that Intl refuses.
    // WEBKIT_DISABLE_COMPOSITING_MODE: a machine without a graphics card draws a third faster.
    const env = {
      ...process.env,
      WEBKIT_DISABLE_COMPOSITING_MODE: '1',
      DISPLAY: display,
      LANG: 'en_US.UTF-8',
      LC_ALL: '',
      GDK_SCALE: `${scale}`,
    }
    const service = new DriverService(driverPath, {
      port,
      args: [`--port=${port}`],
      env,
      stdio: 'ignore',
      loopback: true,
    })
    const capabilities = new Capabilities({
      browserName: NAME,
      'webkitgtk:browserOptions': { binary: browserPath, args: ['--automation'] },
    })
    const browser = await new Builder()
      .usingServer(await service.start())
      .withCapabilities(capabilities)
      .build()
    return { browser, service }
  }

  const first = await start(1)
  const version = `${(await first.browser.getCapabilities()).get('browserVersion')}`
  await first.browser.quit()
  await first.service.kill()

  return {
    version,
    async startSession({ width = 1280, height = 900, scale = 1 } = {}) {
      const { browser, service } = await start(scale)
      let isFirst = true
      /** A command goes to the window that the command before it has chosen, so that commands wait for each other. */
      let last: Promise<unknown> = Promise.resolve()

      async function openTab(): Promise<Tab> {
        if (!isFirst) await browser.switchTo().newWindow('window')
        isFirst = false
        const handle = await browser.getWindowHandle()
        await resize(browser, width, height)

        const inWindow = <Result>(command: () => Promise<Result>): Promise<Result> => {
          const next = last
            .catch(() => {})
            .then(() => browser.switchTo().window(handle))
            .then(command)
          last = next
          return next
        }

        return {
          goto: (url) => inWindow(() => browser.get(url)),
          reload: () => inWindow(() => browser.navigate().refresh()),
          back: () => inWindow(() => browser.navigate().back()),
          show: () => inWindow(async () => {}),
          run: (task, arg) =>
            inWindow(() => browser.executeScript(`return (${task})(arguments[0])`, arg ?? null)) as never,
          clickAt: (x, y) =>
            inWindow(() =>
              browser
                .actions()
                .move({ x: Math.round(x), y: Math.round(y) })
                .click()
                .perform(),
            ),
          type: (text) => inWindow(() => browser.actions().sendKeys(text).perform()),
          screenshot: () => inWindow(async () => Buffer.from(await browser.takeScreenshot(), 'base64')),
        }
      }

      return {
        // WebDriver does not report the errors of a page.
        errors: [],
        openTab: () => {
          const next = last.catch(() => {}).then(openTab)
          last = next
          return next
        },
        async close() {
          await last.catch(() => {})
          await browser.quit()
          await service.kill()
        },
      }
    },
    close: async () => {},
  }
}

/** Gives the page the size. WebDriver sets the size of the window, which has a toolbar. */
async function resize(browser: WebDriver, width: number, height: number): Promise<void> {
  await browser.manage().window().setRect({ width, height })
  const [inner = 0, innerHeight = 0] = (await browser.executeScript(
    'return [innerWidth, innerHeight]',
    null,
  )) as number[]
  await browser
    .manage()
    .window()
    .setRect({ width: 2 * width - inner, height: 2 * height - innerHeight })
}
