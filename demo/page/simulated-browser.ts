/**
 * Simulates the network and the user agent that the settings select. To do so, it replaces `fetch`, `navigator.onLine`
 * and `navigator.userAgent`.
 */
import type { Settings } from './settings.ts'

const SLOW_MS = 3_000

const agents: Partial<Record<Settings['context'], string>> = {
  desktop:
    'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36',
  wechat:
    'Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 MicroMessenger/8.0.60',
  mobile:
    'Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Mobile Safari/537.36',
}

let network: Settings['network'] = 'up'
/** Aborts running requests when the network goes down. */
let connection = new AbortController()

const isOnline = Object.getOwnPropertyDescriptor(Navigator.prototype, 'onLine')!.get!
const ownAgent = navigator.userAgent
const realFetch = globalThis.fetch.bind(globalThis)
let agent = ownAgent

Object.defineProperty(navigator, 'onLine', { get: () => network !== 'down' && isOnline.call(navigator) })
Object.defineProperty(navigator, 'userAgent', { get: () => agent })

globalThis.fetch = async (input, init) => {
  const url = new URL(input instanceof Request ? input.url : input, location.href)
  if (!url.pathname.includes('/widget/')) return realFetch(input, init)
  const { signal } = connection
  if (network === 'slow') await new Promise((resolve) => setTimeout(resolve, SLOW_MS))
  const signals = init?.signal ? [init.signal, signal] : [signal]
  return realFetch(input, { ...init, signal: AbortSignal.any(signals) }).catch((error) => {
    // When the network is lost, `fetch` must throw a TypeError, as in a browser. It must not throw the abort reason of
    // the caller.
    throw signal.aborted ? new TypeError('Failed to fetch') : error
  })
}

export function simulateBrowser({ context, network: next }: Pick<Settings, 'context' | 'network'>): void {
  agent = agents[context] ?? ownAgent
  if (next === network) return
  const previous = network
  network = next
  if (next === 'down') {
    connection.abort()
    dispatchEvent(new Event('offline'))
  }
  if (previous === 'down') {
    connection = new AbortController()
    dispatchEvent(new Event('online'))
  }
}
