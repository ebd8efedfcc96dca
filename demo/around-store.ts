/** Wraps a store, so that each call passes through a function that can delay the call or make it fail. */
import type { ConsoleStore } from '../server/store/console-store.ts'
import type { Outbox } from '../server/store/outbox.ts'
import type { Store } from '../server/store/store.ts'

/** Runs `call`, or throws. `name` is the name of the method, for example `outbox.claim`. */
export type Around = <T>(name: string, call: () => Promise<T>) => Promise<T>

export function aroundStore(store: Store, around: Around): Store {
  const within =
    <A extends unknown[], R>(name: string, call: (...args: A) => Promise<R>): ((...args: A) => Promise<R>) =>
    (...args) =>
      around(name, () => call(...args))

  const { outbox } = store
  return {
    // Calls each function as a method of its object, because a store may be a class whose methods use `this`.
    write: within('write', (work) => store.write(work)) as Store['write'],
    user: within('user', (identity) => store.user(identity)),
    userVersion: within('userVersion', (identity) => store.userVersion(identity)),
    users: within('users', (identities) => store.users(identities)),
    userRecord: within('userRecord', (identity) => store.userRecord(identity)),
    listBindings: within('listBindings', (...args) => store.listBindings(...args)),
    events: within('events', (feedQuery) => store.events(feedQuery)),
    purgeErased: within('purgeErased', (before) => store.purgeErased(before)),
    liveTicket: within('liveTicket', (...args) => store.liveTicket(...args)),
    countOtherBindings: within('countOtherBindings', (appId) => store.countOtherBindings(appId)),
    countAttempt: within('countAttempt', (...args) => store.countAttempt(...args)),
    unionids: {
      claimDue: within('unionids.claimDue', (...args) => store.unionids.claimDue(...args)),
      save: within('unionids.save', (...args) => store.unionids.save(...args)),
    },
    sweep: within('sweep', (now) => store.sweep(now)),
    ping: within('ping', () => store.ping()),
    console: Object.fromEntries(
      Object.entries(store.console).map(([name, call]) => [
        name,
        within(`console.${name}`, call as (...args: unknown[]) => Promise<unknown>),
      ]),
    ) as ConsoleStore,
    onCommit: (listener) => store.onCommit(listener),
    close: () => store.close(),
    outbox: {
      dispatch: within('outbox.dispatch', (...args) => outbox.dispatch(...args)),
      claim: within('outbox.claim', (...args) => outbox.claim(...args)),
      unclaim: within('outbox.unclaim', (...args) => outbox.unclaim(...args)),
      delivered: within('outbox.delivered', (ids) => outbox.delivered(ids)),
      retryAt: within('outbox.retryAt', (...args) => outbox.retryAt(...args)),
      giveUp: within('outbox.giveUp', (...args) => outbox.giveUp(...args)),
      list: within('outbox.list', (...args) => outbox.list(...args)),
      lengths: within('outbox.lengths', () => outbox.lengths()),
      oldestAt: within('outbox.oldestAt', (names) => outbox.oldestAt(names)),
      replay: within('outbox.replay', (...args) => outbox.replay(...args)),
      retry: within('outbox.retry', (...args) => outbox.retry(...args)),
      receivers: within('outbox.receivers', () => outbox.receivers()),
      receiverFailed: within('outbox.receiverFailed', (failed) => outbox.receiverFailed(failed)),
      receiverAccepted: within('outbox.receiverAccepted', (...args) => outbox.receiverAccepted(...args)),
      enable: within('outbox.enable', (...args) => outbox.enable(...args)),
      lease: within('outbox.lease', (...args) => outbox.lease(...args)),
      // `release` is not wrapped: a server calls it while it closes, and must not wait.
      release: (holder) => outbox.release(holder),
    } satisfies Outbox,
  }
}
