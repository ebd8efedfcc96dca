/**
 * Sets `navigator.onLine` in tests. On a machine whose only network is loopback, such as a closed container, Chromium
 * reports that it is offline.
 */
import type { BrowserContext } from 'playwright'

/**
 * Makes the pages of a context report that they are online until a test calls `setOffline`. Must be called before the
 * first page opens.
 */
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

/**
 * Does the same as `context.setOffline`. That method causes no event if Chromium already reports that it is offline.
 */
export async function setOffline(context: BrowserContext, isOffline: boolean): Promise<void> {
  await context.setOffline(isOffline)
  for (const page of context.pages()) {
    await page.evaluate((isOnline) => {
      if (navigator.onLine !== isOnline) dispatchEvent(new Event(isOnline ? 'online' : 'offline'))
    }, !isOffline)
  }
}
