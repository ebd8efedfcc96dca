/** A store that can be made slow or unavailable. The data of the wrapped store does not change. */
import { BindError } from '../server/errors.ts'
import type { Store } from '../server/store/store.ts'
import { aroundStore } from './around-store.ts'
import type { Delay } from './simulator/faults.ts'

export type Health = 'up' | 'slow' | 'down'

export const SLOW_MS = 3_000

type FlakyDeps = { health: () => Health; delay: Delay; signal: AbortSignal }

/**
 * While the store is down, every operation throws `STORE_UNAVAILABLE`, as it does when the database cannot be reached.
 */
export function createFlakyStore(store: Store, { health, delay, signal }: FlakyDeps): Store {
  async function applyHealth(): Promise<void> {
    if (health() === 'slow') await delay(SLOW_MS, signal).catch(() => {})
    if (health() === 'down') throw new BindError('STORE_UNAVAILABLE', 'The store did not answer: try again.')
  }

  return aroundStore(store, async (_, call) => {
    await applyHealth()
    return call()
  })
}
