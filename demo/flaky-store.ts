/** A store that can be made slow or unavailable. The data of the wrapped store does not change. */
import { BindError } from '../server/errors.ts'
import type { ConsoleStore } from '../server/store/console-store.ts'
import type { Outbox } from '../server/store/outbox.ts'
import type { Store } from '../server/store/store.ts'
import type { Delay } from './simulator/faults.ts'

export type Health = 'up' | 'slow' | 'down'

export const SLOW_MS = 3_000

type FlakyDeps = { health: () => Health; delay: Delay; signal: AbortSignal }

/** While the store is down, every operation throws `STORE_UNAVAILABLE`, as for a database that cannot be reached. */
export function createFlakyStore(store: Store, { health, delay, signal }: FlakyDeps): Store {
  async function applyHealth(): Promise<void> {
    if (health() === 'slow') await delay(SLOW_MS, signal).catch(() => {})
    if (health() === 'down') throw new BindError('STORE_UNAVAILABLE', 'The store did not answer: try again.')
  }

  function flaky<A extends unknown[], R>(call: (...args: A) => Promise<R>): (...args: A) => Promise<R> {
    return async (...args) => {
      await applyHealth()
      return call(...args)
    }
  }

  const { outbox } = store
  return {
    // The functions are called as methods, because a store may be a class that needs its `this`.
    write: flaky((work) => store.write(work)) as Store['write'],
    user: flaky((identity) => store.user(identity)),
    users: flaky((identities) => store.users(identities)),
    userRecord: flaky((identity) => store.userRecord(identity)),
    listBindings: flaky((...args) => store.listBindings(...args)),
    events: flaky((feedQuery) => store.events(feedQuery)),
    purgeErased: flaky((before) => store.purgeErased(before)),
    liveTicket: flaky((...args) => store.liveTicket(...args)),
    countOtherBindings: flaky((appId) => store.countOtherBindings(appId)),
    countAttempt: flaky((...args) => store.countAttempt(...args)),
    unionids: {
      claimDue: flaky((...args) => store.unionids.claimDue(...args)),
      save: flaky((...args) => store.unionids.save(...args)),
    },
    sweep: flaky((now) => store.sweep(now)),
    ping: flaky(() => store.ping()),
    console: Object.fromEntries(
      Object.entries(store.console).map(([name, call]) => [
        name,
        flaky(call as (...args: unknown[]) => Promise<unknown>),
      ]),
    ) as ConsoleStore,
    onCommit: (listener) => store.onCommit(listener),
    close: () => store.close(),
    outbox: {
      dispatch: flaky((...args) => outbox.dispatch(...args)),
      claim: flaky((...args) => outbox.claim(...args)),
      unclaim: flaky((...args) => outbox.unclaim(...args)),
      delivered: flaky((ids) => outbox.delivered(ids)),
      retryAt: flaky((...args) => outbox.retryAt(...args)),
      giveUp: flaky((...args) => outbox.giveUp(...args)),
      list: flaky((...args) => outbox.list(...args)),
      lengths: flaky(() => outbox.lengths()),
      oldestAt: flaky((names) => outbox.oldestAt(names)),
      replay: flaky((...args) => outbox.replay(...args)),
      retry: flaky((...args) => outbox.retry(...args)),
      receivers: flaky(() => outbox.receivers()),
      receiverFailed: flaky((failed) => outbox.receiverFailed(failed)),
      receiverAccepted: flaky((...args) => outbox.receiverAccepted(...args)),
      enable: flaky((...args) => outbox.enable(...args)),
      lease: flaky((...args) => outbox.lease(...args)),
      // A closing server calls `release` and must not wait, so the failure does not apply here.
      release: (holder) => outbox.release(holder),
    } satisfies Outbox,
  }
}
