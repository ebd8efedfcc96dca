/**
 * A simulated proxy in front of the bind server. It delays requests, or answers them with 502. When the 502 begins,
 * requests that already wait for the server also get 502.
 */
import { type Health, SLOW_MS } from './flaky-store.ts'
import type { Delay } from './simulator/faults.ts'

export function createFaultyProxy({ delay, signal }: { delay: Delay; signal: AbortSignal }) {
  let health: Health = 'up'
  let outage = new AbortController()

  const badGateway = () =>
    new Response('<h1>502 Bad Gateway</h1>', { status: 502, headers: { 'Content-Type': 'text/html' } })

  return {
    set(next: Health): void {
      if (next === health) return
      health = next
      if (next === 'down') outage.abort()
      else outage = new AbortController()
    },
    async forward(answer: () => Promise<Response>): Promise<Response> {
      if (health === 'slow') await delay(SLOW_MS, signal).catch(() => {})
      const { signal: down } = outage
      if (down.aborted) return badGateway()
      const { promise: onOutage, resolve } = Promise.withResolvers<Response>()
      const onDown = () => resolve(badGateway())
      down.addEventListener('abort', onDown)
      return Promise.race([answer(), onOutage]).finally(() => down.removeEventListener('abort', onDown))
    },
  }
}
