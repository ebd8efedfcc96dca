/** What fifty mounts and removals leave behind in a real browser: no element, no timer of its own, and a heap of the same size. */
import { type Browser, type CDPSession, chromium, type Page } from 'playwright'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openStage, type Stage } from '../support/browser-stage.ts'
import { launchOptions } from '../support/chromium.ts'

const MOUNTS = 50
/** Two elements with all they hold come to more; code that warms up, to less. */
const SLACK_BYTES = 200_000

let browser: Browser
let stage: Stage
let page: Page
let devtools: CDPSession

beforeAll(async () => {
  browser = await chromium.launch(await launchOptions())
  stage = await openStage({ body: '' })
  page = await browser.newPage()
  await page.goto(stage.url)
  await page.waitForFunction(() => customElements.get('wechat-bind'))
  devtools = await page.context().newCDPSession(page)
})
afterAll(async () => {
  await browser.close()
  await stage.close()
})

/** Each is taken away somewhere else: as it is put in, while it asks, and with its QR on screen. */
async function mountAndRemove(): Promise<void> {
  await page.evaluate(async (mounts) => {
    for (let i = 0; i < mounts; i++) {
      const card = document.createElement('wechat-bind')
      card.token = 'token'
      const ready = new Promise((resolve) => card.addEventListener('statechange', resolve, { once: true }))
      document.body.append(card)
      if (i % 3 > 0) await ready
      if (i % 3 > 1) while (card.state !== 'ready') await new Promise(requestAnimationFrame)
      card.remove()
    }
  }, MOUNTS)
}

async function heapBytes(): Promise<number> {
  // Finalizers free more on the second round.
  for (let i = 0; i < 3; i++) await devtools.send('HeapProfiler.collectGarbage')
  return (await devtools.send('Runtime.getHeapUsage')).usedSize
}

/** How many elements the page still holds on to. */
async function elementsHeld(): Promise<number> {
  const { result } = await devtools.send('Runtime.evaluate', {
    expression: 'customElements.get("wechat-bind").prototype',
  })
  const { objects } = await devtools.send('Runtime.queryObjects', { prototypeObjectId: result.objectId! })
  const { result: count } = await devtools.send('Runtime.callFunctionOn', {
    objectId: objects.objectId!,
    functionDeclaration: 'function () { return this.length }',
    returnByValue: true,
  })
  await devtools.send('Runtime.releaseObject', { objectId: objects.objectId! })
  return count.value
}

test('fifty mounts and removals leave no element behind, and the heap as it was', async () => {
  await mountAndRemove()
  const before = await heapBytes()
  await mountAndRemove()
  expect((await heapBytes()) - before).toBeLessThan(SLACK_BYTES)
  expect(await elementsHeld()).toBe(0)
  await expect.poll(() => stage.bind.waitingPolls).toBe(0)
  // The count counts.
  await page.evaluate(() => document.body.append(document.createElement('wechat-bind')))
  expect(await elementsHeld()).toBe(1)
})
