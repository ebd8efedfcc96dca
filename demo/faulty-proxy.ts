/** Stands before the bind server as a proxy does: when that is down, it answers 502, also to who was waiting. */
import { type Health, SLOW_MS } from './flaky-store.ts'
import type { Delay } from './simulator/faults.ts'

export function createGate({ delay, signal }: { delay: Delay; signal: AbortSignal }) {
  let health: Health = 'up'
  let cut = new AbortController()

  const badGateway = () =>
    new Response('<h1>502 Bad Gateway</h1>', { status: 502, headers: { 'Content-Type': 'text/html' } })

  return {
    set(next: Health): void {
      if (next === health) return
      health = next
      if (next === 'down') cut.abort()
      else cut = new AbortController()
    },
    async pass(answer: () => Promise<Response>): Promise<Response> {
      if (health === 'slow') await delay(SLOW_MS, signal).catch(() => {})
      const { signal: down } = cut
      if (down.aborted) return badGateway()
      const { promise: isCut, resolve } = Promise.withResolvers<Response>()
      const onDown = () => resolve(badGateway())
      down.addEventListener('abort', onDown)
      return Promise.race([answer(), isCut]).finally(() => down.removeEventListener('abort', onDown))
    },
  }
}
