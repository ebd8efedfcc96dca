/**
 * Tests in a real browser that fifty mounts and removals leave no element and no poll, and do not increase the heap.
 */
import type { CDPSession, Page } from 'playwright'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { sharedBrowser } from '../support/browser.ts'
import { type Fixture, openFixture } from '../support/browser-fixture.ts'

const MOUNTS = 50
/**
 * The limit for the growth of the heap, in bytes. Two leaked elements exceed the limit. The compiled code of the
 * element alone does not.
 */
const SLACK_BYTES = 200_000

const browser = await sharedBrowser()
let fixture: Fixture
let page: Page
let devtools: CDPSession

beforeAll(async () => {
  fixture = await openFixture({ body: '' })
  page = await browser.newPage()
  await page.goto(fixture.url)
  await page.waitForFunction(() => customElements.get('wechat-bind'))
  devtools = await page.context().newCDPSession(page)
})
afterAll(async () => {
  await fixture.close()
})

/**
 * Mounts and removes elements. Removes some at once, some during the request, and some when the QR code is displayed.
 */
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
  // Only a second garbage collection frees objects with finalizers.
  for (let i = 0; i < 3; i++) await devtools.send('HeapProfiler.collectGarbage')
  return (await devtools.send('Runtime.getHeapUsage')).usedSize
}

/** Returns the number of elements in the page's memory. */
async function elementsInMemory(): Promise<number> {
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

test('fifty mounts and removals leave no element in memory and do not increase the heap', async () => {
  await mountAndRemove()
  const before = await heapBytes()
  await mountAndRemove()
  expect((await heapBytes()) - before).toBeLessThan(SLACK_BYTES)
  expect(await elementsInMemory()).toBe(0)
  await expect.poll(() => fixture.bind.waitingPolls).toBe(0)
  // Proves that the count works: it includes an element that is mounted.
  await page.evaluate(() => document.body.append(document.createElement('wechat-bind')))
  expect(await elementsInMemory()).toBe(1)
})
