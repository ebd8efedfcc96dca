/** Simulates a hidden page, a lost network and other user agents. `restoreBrowser` restores the real browser. */

const touched: [target: object, key: string][] = []

function override(target: object, key: string, value: unknown): void {
  Object.defineProperty(target, key, { configurable: true, get: () => value })
  touched.push([target, key])
}

export function setVisible(visible: boolean): void {
  override(document, 'visibilityState', visible ? 'visible' : 'hidden')
  document.dispatchEvent(new Event('visibilitychange', { bubbles: true }))
}

export function setOnline(online: boolean): void {
  override(navigator, 'onLine', online)
  window.dispatchEvent(new Event(online ? 'online' : 'offline'))
}

export function setUserAgent(userAgent: string): void {
  override(navigator, 'userAgent', userAgent)
}

export function restoreBrowser(): void {
  for (const [target, key] of touched.splice(0)) Reflect.deleteProperty(target, key)
}
