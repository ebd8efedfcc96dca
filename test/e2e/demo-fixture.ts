/** Provides one demo for all tests of a file, and functions for the actions of users. */
import type { BrowserContext, Page } from 'playwright'
import { afterEach, beforeEach, expect } from 'vitest'
import { sharedBrowser } from '../support/browser.ts'
import { useDemo } from './use-demo.ts'

type ReportedEvent = { type: string; at: number; detail: unknown }

const browser = await sharedBrowser()

export function createFixture() {
  const running = useDemo()
  let context: BrowserContext
  /** Console errors of the pages, including violations of the content policy. */
  let consoleErrors: string[]

  beforeEach(async () => {
    consoleErrors = []
    context = await browser.newContext({ viewport: { width: 1280, height: 900 }, reducedMotion: 'reduce' })
  })
  afterEach(async () => {
    await context.close()
    await running.reset()
    expect(consoleErrors).toEqual([])
  })

  return {
    get demo() {
      return running.demo
    },

    /** Opens the demo's page in a new tab and records the element's events. */
    async open(query = ''): Promise<Page> {
      const page = await context.newPage()
      page.on('pageerror', (error) => consoleErrors.push(error.message))
      page.on('console', (message) => message.type() === 'error' && consoleErrors.push(message.text()))
      await page.addInitScript(() => {
        const reported: ReportedEvent[] = []
        Object.assign(globalThis, { reported })
        for (const type of ['bound', 'unbound', 'scanned', 'expired', 'binderror']) {
          const record = (event: Event) =>
            reported.push({
              type,
              at: performance.timeOrigin + performance.now(),
              detail: (event as CustomEvent).detail,
            })
          document.addEventListener(type, record)
        }
      })
      await page.goto(`${running.demo.url}/?lang=en${query}`)
      return page
    },

    /** Removes the console errors of failed requests. A test that expects such failures calls this function. */
    expectRefusals(): void {
      consoleErrors = consoleErrors.filter((text) => !text.startsWith('Failed to load resource'))
    },
  }
}

/** Returns the events that the element has dispatched so far. */
export const reported = (page: Page): Promise<ReportedEvent[]> =>
  page.evaluate(() => (globalThis as unknown as { reported: ReportedEvent[] }).reported)

export const inState = (page: Page, state: string) =>
  page.waitForFunction(
    (name) => (document.querySelector('wechat-bind') as { state?: string } | null)?.state === name,
    state,
  )

/** Scans the page's QR code with the simulated phone. */
export async function scan(page: Page): Promise<void> {
  await inState(page, 'ready')
  await page.getByTestId('scan-button').click()
}

export const follow = (page: Page) => page.getByTestId('follow-button').click()

export async function unfollow(page: Page): Promise<void> {
  await page.getByTestId('account-button').click()
  await page.getByTestId('unfollow-button').click()
}

/** Returns the chat message that contains `words`. */
export const chat = (page: Page, words: string) => page.getByTestId('chat-message').filter({ hasText: words })

/** Waits until the host site's back end reports the state. */
export const backEndReports = (page: Page, isBound: boolean) =>
  page.locator(`[data-testid=bind-status][data-bound=${isBound}]`).waitFor()
