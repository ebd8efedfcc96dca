/** Sets `navigator.onLine` in tests. Chromium reports offline on a machine whose only network is loopback, such as a closed container. */
import type { BrowserContext } from 'playwright'

/** Makes pages of the context report online until `setOffline` is called. Call this function before the first page opens. */
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

/** Works like `context.setOffline`, which fires no event if Chromium already reports offline. */
export async function setOffline(context: BrowserContext, isOffline: boolean): Promise<void> {
  await context.setOffline(isOffline)
  for (const page of context.pages()) {
    await page.evaluate((isOnline) => {
      if (navigator.onLine !== isOnline) dispatchEvent(new Event(isOnline ? 'online' : 'offline'))
    }, !isOffline)
  }
}
