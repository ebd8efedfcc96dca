/**
 * The Chromium of the tests. A browser needs about a second to start, so all test files of a worker share one browser.
 * This works because they also share the modules of the worker (`isolate: false`). Each test opens its own context with
 * its own storage and cache.
 */
import { type Browser, chromium } from 'playwright'
import { launchOptions } from './chromium.ts'

/** A host name that the browser resolves to this machine. Tests use it for the pages of an attacking site. */
export const OTHER_SITE = 'evil.example'

let browser: Promise<Browser> | undefined

async function launch(): Promise<Browser> {
  const { args = [], ...options } = await launchOptions()
  return chromium.launch({
    ...options,
    args: [...args, `--host-resolver-rules=MAP ${OTHER_SITE} 127.0.0.1`],
    // Playwright turns the back/forward cache off, which the browsers of users have.
    ignoreDefaultArgs: ['--disable-back-forward-cache'],
  })
}

/** No test closes the browser. Playwright ends it together with the worker. */
export function sharedBrowser(): Promise<Browser> {
  browser ??= launch()
  return browser
}
