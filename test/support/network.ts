/** `navigator.onLine` in tests: Chromium reports offline on a machine whose only network is loopback, such as a closed container. */
import type { BrowserContext } from 'playwright'

/** Pages of the context report online until `setOffline`. Call it before the first page. */
export async function startOnline(context: BrowserContext): Promise<void> {
  await context.addInitScript(() => {
    let isOnline = true
    addEventListener('online', () => {
      isOnline = true
    })
    addEventListener('offline', () => {
      isOnline = false
    })
    Object.defineProperty(navigator, 'onLine', { configurable: true, get: () => isOnline })
  })
}

/** Like `context.setOffline`, which fires no event where Chromium reports offline already. */
export async function setOffline(context: BrowserContext, isOffline: boolean): Promise<void> {
  await context.setOffline(isOffline)
  for (const page of context.pages()) {
    await page.evaluate((isOnline) => {
      if (navigator.onLine !== isOnline) dispatchEvent(new Event(isOnline ? 'online' : 'offline'))
    }, !isOffline)
  }
}
