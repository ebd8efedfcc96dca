/** The whole path in a real browser: the demo page, the bind server and the simulated WeChat, over real HTTP. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type Demo, startDemo } from '../../demo/demo.ts'
import { launchOptions } from '../support/chromium.ts'

let browser: Browser
let context: BrowserContext
let demo: Demo
let folder: string
/** What the pages wrote to their consoles: a breach of the content policy would be here. */
let complaints: string[]

beforeAll(async () => {
  browser = await chromium.launch(await launchOptions())
})
afterAll(() => browser.close())

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'wechat-bind-'))
  demo = await startDemo({ env: { PORT: '0', LOG_LEVEL: 'silent' }, dataDir: folder })
  context = await browser.newContext({ viewport: { width: 1280, height: 900 } })
  complaints = []
})
afterEach(async () => {
  await context.close()
  await demo.close()
  rmSync(folder, { recursive: true })
  expect(complaints).toEqual([])
})

type Told = { type: string; at: number; detail: unknown }

async function open(query = '?lang=en'): Promise<Page> {
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
  await page.goto(`${demo.url}/${query}`)
  return page
}

const told = (page: Page): Promise<Told[]> => page.evaluate(() => (globalThis as unknown as { told: Told[] }).told)

const inState = (page: Page, state: string) =>
  page.waitForFunction(
    (name) => (document.querySelector('wechat-bind') as { state?: string } | null)?.state === name,
    state,
  )

async function scan(page: Page): Promise<void> {
  await inState(page, 'ready')
  await page.getByTestId('scan-button').click()
}

async function unfollow(page: Page): Promise<void> {
  await page.getByTestId('account-button').click()
  await page.getByTestId('unfollow-button').click()
}

describe('scan to bound', () => {
  test('a newcomer scans, follows, is bound at once, and is unbound by unfollowing', async () => {
    const page = await open()
    await scan(page)
    await page.getByTestId('follow-button').click()
    await inState(page, 'bound')
    await page.getByTestId('chat-message').filter({ hasText: 'now linked' }).waitFor()
    await page.locator('[data-testid=bind-status][data-bound=true]').waitFor()

    const [bound] = await told(page)
    expect(bound).toMatchObject({ type: 'bound', detail: { initial: false } })
    const callback = demo.simulator.wire.since(0).find(({ kind }) => kind === 'callback')
    console.log(`callback's arrival to the bound event in the page: ${Math.round(bound!.at - callback!.at)} ms`)

    await unfollow(page)
    await inState(page, 'ready')
    expect((await told(page)).at(-1)).toMatchObject({ type: 'unbound', detail: { reason: 'unsubscribe' } })
    await page.locator('[data-testid=bind-status][data-bound=false]').waitFor()
  })

  test('a follower scans and is bound, and a reloaded page knows it from the start', async () => {
    const page = await open()
    await demo.simulator.phone('amy').follow()
    await scan(page)
    await inState(page, 'bound')
    await page.reload()
    await inState(page, 'bound')
    expect(await told(page)).toMatchObject([{ type: 'bound', detail: { initial: true } }])
  })

  test('the back end disconnects, and the page shows a QR that works', async () => {
    const page = await open()
    await scan(page)
    await page.getByTestId('follow-button').click()
    await inState(page, 'bound')
    await page.getByTestId('disconnect-button').click()
    await inState(page, 'ready')
    expect((await told(page)).at(-1)).toMatchObject({ type: 'unbound', detail: { reason: 'disconnect' } })
    await scan(page)
    await inState(page, 'bound')
  })

  test('a WeChat that another user has is turned away, and the page goes on showing its QR', async () => {
    const page = await open()
    await scan(page)
    await page.getByTestId('follow-button').click()
    await inState(page, 'bound')
    const other = await open('?lang=en&user=chen')
    await scan(other)
    await other.getByTestId('chat-message').filter({ hasText: 'linked to another account' }).waitFor()
    await inState(other, 'ready')
    expect(await told(other)).toEqual([])
  })

  test('a lost network shows as offline, and the page recovers by itself', async () => {
    const page = await open()
    await inState(page, 'ready')
    await context.setOffline(true)
    await inState(page, 'offline')
    await context.setOffline(false)
    await scan(page)
    await page.getByTestId('follow-button').click()
    await inState(page, 'bound')
    complaints = complaints.filter((text) => !text.includes('ERR_INTERNET_DISCONNECTED'))
  })
})
