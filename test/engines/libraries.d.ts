/** The parts of the libraries in `test/engines/package.json` that the drivers use. `npm ci` does not install these libraries. */

declare module 'puppeteer-core' {
  type ConsoleMessage = { type(): string; text(): string }

  export type Page = {
    goto(url: string): Promise<unknown>
    reload(): Promise<unknown>
    goBack(options: { waitUntil: 'domcontentloaded' }): Promise<unknown>
    bringToFront(): Promise<void>
    setViewport(size: { width: number; height: number; deviceScaleFactor: number }): Promise<void>
    evaluate(task: unknown, arg: unknown): Promise<unknown>
    mouse: { click(x: number, y: number): Promise<void> }
    keyboard: { type(text: string): Promise<void> }
    screenshot(): Promise<Uint8Array>
    on(type: 'pageerror', listener: (error: unknown) => void): void
    on(type: 'console', listener: (message: ConsoleMessage) => void): void
  }

  export type Browser = {
    version(): Promise<string>
    createBrowserContext(): Promise<{ newPage(): Promise<Page>; close(): Promise<void> }>
    close(): Promise<void>
  }

  export function launch(options: {
    browser: 'firefox'
    executablePath: string
    defaultViewport: null
    extraPrefsFirefox: Record<string, boolean | number | string>
  }): Promise<Browser>
}

declare module 'selenium-webdriver' {
  export type WebDriver = {
    getCapabilities(): Promise<{ get(name: string): unknown }>
    get(url: string): Promise<void>
    navigate(): { refresh(): Promise<void>; back(): Promise<void> }
    executeScript(script: string, arg: unknown): Promise<unknown>
    getWindowHandle(): Promise<string>
    switchTo(): { window(handle: string): Promise<void>; newWindow(type: 'tab' | 'window'): Promise<void> }
    manage(): { window(): { setRect(size: { width: number; height: number }): Promise<unknown> } }
    actions(): {
      move(to: { x: number; y: number }): { click(): { perform(): Promise<void> } }
      sendKeys(text: string): { perform(): Promise<void> }
    }
    takeScreenshot(): Promise<string>
    quit(): Promise<void>
  }

  export class Capabilities {
    constructor(values: Record<string, unknown>)
  }

  export class Builder {
    usingServer(url: string): Builder
    withCapabilities(capabilities: Capabilities): Builder
    build(): Promise<WebDriver>
  }
}

declare module 'selenium-webdriver/remote/index.js' {
  export class DriverService {
    constructor(
      executable: string,
      options: { port: number; args: string[]; env: NodeJS.ProcessEnv; stdio: 'ignore'; loopback: true },
    )
    start(): Promise<string>
    kill(): Promise<void>
  }
}

declare module 'selenium-webdriver/net/portprober.js' {
  export function findFreePort(): Promise<number>
}
