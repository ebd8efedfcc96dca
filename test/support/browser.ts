/**
 * The Chromium of the tests. A start takes about a second, so the test files of a worker share one browser: they also share the
 * modules of their worker (`isolate: false`). Each test opens its own context, which has its own storage and cache.
 */
import { type Browser, chromium } from 'playwright'
import { launchOptions } from './chromium.ts'

/** A host name that the browser resolves to this machine: another site, for pages that attack. */
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

/** Nobody closes the browser: Playwright ends it together with the worker. */
export function sharedBrowser(): Promise<Browser> {
  browser ??= launch()
  return browser
}
