/** A store that can be told to be slow or down: what stands behind it stays as it is. */
import { BindError } from '../server/errors.ts'
import type { Outbox } from '../server/store/outbox.ts'
import type { Store } from '../server/store/store.ts'
import type { Delay } from './simulator/faults.ts'

export type Health = 'up' | 'slow' | 'down'

export const SLOW_MS = 3_000

type FlakyDeps = { health: () => Health; delay: Delay; signal: AbortSignal }

/** Throws `STORE_UNAVAILABLE` while it is down, as an engine does that cannot be reached. */
export function createFlakyStore(store: Store, { health, delay, signal }: FlakyDeps): Store {
  async function pass(): Promise<void> {
    if (health() === 'slow') await delay(SLOW_MS, signal).catch(() => {})
    if (health() === 'down') throw new BindError('STORE_UNAVAILABLE', 'The store did not answer: try again.')
  }

  function guard<A extends unknown[], R>(call: (...args: A) => Promise<R>): (...args: A) => Promise<R> {
    return async (...args) => {
      await pass()
      return call(...args)
    }
  }

  const { outbox } = store
  return {
    // Some engines are classes, whose methods want their `this`.
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
      // The last word of a server that closes: it must not wait.
      release: (holder) => outbox.release(holder),
    } satisfies Outbox,
  }
}
