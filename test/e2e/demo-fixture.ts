/** One demo and one browser for all stories of a file, and the few things that people do in them. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright'
import { afterAll, afterEach, beforeAll, beforeEach, expect } from 'vitest'
import { type Demo, startDemo } from '../../demo/demo.ts'
import { launchOptions } from '../support/chromium.ts'

type Told = { type: string; at: number; detail: unknown }

export function setStage() {
  let browser: Browser
  let context: BrowserContext
  let demo: Demo
  let folder: string
  /** What the pages wrote to their consoles: a breach of the content policy would be here. */
  let complaints: string[]

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'wechat-bind-'))
    demo = await startDemo({ env: { PORT: '0', LOG_LEVEL: 'silent' }, dataDir: folder })
    browser = await chromium.launch(await launchOptions())
  })
  beforeEach(async () => {
    complaints = []
    context = await browser.newContext({ viewport: { width: 1280, height: 900 }, reducedMotion: 'reduce' })
  })
  // Nobody follows, nothing is set, and so nobody is bound: the next story finds the same state.
  afterEach(async () => {
    await context.close()
    await demo.set({})
    await Promise.all(demo.simulator.phones.map((phone) => phone.unfollow()))
    expect(complaints).toEqual([])
  })
  afterAll(async () => {
    await browser.close()
    await demo.close()
    rmSync(folder, { recursive: true })
  })

  return {
    get demo() {
      return demo
    },

    /** The demo's page in a tab of its own; it collects what the element tells. */
    async open(query = ''): Promise<Page> {
      const page = await context.newPage()
      page.on('pageerror', (error) => complaints.push(error.message))
      page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()))
      await page.addInitScript(() => {
        const told: Told[] = []
        Object.assign(globalThis, { told })
        for (const type of ['bound', 'unbound', 'scanned', 'expired', 'binderror']) {
          const tell = (event: Event) =>
            told.push({ type, at: performance.timeOrigin + performance.now(), detail: (event as CustomEvent).detail })
          document.addEventListener(type, tell)
        }
      })
      await page.goto(`${demo.url}/?lang=en${query}`)
      return page
    },

    /** Refusals that the story is about are no complaints. */
    expectRefusals(): void {
      complaints = complaints.filter((text) => !text.startsWith('Failed to load resource'))
    },
  }
}

/** What the element has told its page so far. */
export const told = (page: Page): Promise<Told[]> =>
  page.evaluate(() => (globalThis as unknown as { told: Told[] }).told)

export const inState = (page: Page, state: string) =>
  page.waitForFunction(
    (name) => (document.querySelector('wechat-bind') as { state?: string } | null)?.state === name,
    state,
  )

/** Holds the phone to the page once there is a code on it. */
export async function scan(page: Page): Promise<void> {
  await inState(page, 'ready')
  await page.getByTestId('scan-button').click()
}

export const follow = (page: Page) => page.getByTestId('follow-button').click()

export async function unfollow(page: Page): Promise<void> {
  await page.getByTestId('account-button').click()
  await page.getByTestId('unfollow-button').click()
}

/** A bubble of the chat that holds these words. */
export const chat = (page: Page, words: string) => page.getByTestId('chat-message').filter({ hasText: words })

/** What the host site's back end knows. */
export const backEndKnows = (page: Page, isBound: boolean) =>
  page.locator(`[data-testid=bind-status][data-bound=${isBound}]`).waitFor()
