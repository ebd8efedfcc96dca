/** Wraps a store and makes it slow or unavailable on demand. The wrapped store is not changed. */
import { BindError } from '../server/errors.ts'
import type { Outbox } from '../server/store/outbox.ts'
import type { Store } from '../server/store/store.ts'
import type { Delay } from './simulator/faults.ts'

export type Health = 'up' | 'slow' | 'down'

export const SLOW_MS = 3_000

export type FlakyDeps = { health: () => Health; delay: Delay; signal: AbortSignal }

/** While down, every call throws `STORE_UNAVAILABLE`, as with an unreachable database. */
export function createFlakyStore(store: Store, { health, delay, signal }: FlakyDeps): Store {
  async function applyHealth(): Promise<void> {
    if (health() === 'slow') await delay(SLOW_MS, signal).catch(() => {})
    if (health() === 'down') throw new BindError('STORE_UNAVAILABLE', 'The store did not answer: try again.')
  }

  function guard<A extends unknown[], R>(call: (...args: A) => Promise<R>): (...args: A) => Promise<R> {
    return async (...args) => {
      await applyHealth()
      return call(...args)
    }
  }

  const { outbox } = store
  return {
    // Arrow functions, because some stores are classes whose methods need `this`.
    write: guard((work) => store.write(work)) as Store['write'],
    user: guard((identity) => store.user(identity)),
    liveTicket: guard((...args) => store.liveTicket(...args)),
    ticketsSince: guard((...args) => store.ticketsSince(...args)),
    unionids: {
      claimDue: guard((...args) => store.unionids.claimDue(...args)),
      save: guard((answers) => store.unionids.save(answers)),
    },
    sweep: guard((now) => store.sweep(now)),
    ping: guard(() => store.ping()),
    onCommit: (listener) => store.onCommit(listener),
    close: () => store.close(),
    outbox: {
      due: guard((...args) => outbox.due(...args)),
      nextAt: guard((tenants) => outbox.nextAt(tenants)),
      delivered: guard((id) => outbox.delivered(id)),
      retryAt: guard((...args) => outbox.retryAt(...args)),
      giveUp: guard((id) => outbox.giveUp(id)),
      list: guard((...args) => outbox.list(...args)),
      replay: guard((...args) => outbox.replay(...args)),
      lease: guard((...args) => outbox.lease(...args)),
      // Called by a server that closes: must not be delayed.
      release: (holder) => outbox.release(holder),
    } satisfies Outbox,
  }
}
