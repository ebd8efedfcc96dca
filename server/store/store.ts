/**
 * The store's interface: the operations that both engines implement. The values have files of their own and are exported here
 * again. `storeContract` in test/server/store runs the same tests on each engine.
 */
import type { BindingWalk } from './binding-walk.ts'
import type { CommitNotice } from './commit-notice.ts'
import type { ConsoleStore } from './console-store.ts'
import type { EventFeed } from './event-feed.ts'
import type { Identity } from './identity.ts'
import type { Outbox } from './outbox.ts'
import type { TicketWithQr } from './ticket.ts'
import type { UnitOfWork } from './tx.ts'
import type { UnionidStore } from './unionid-store.ts'
import type { User, UserVersion } from './user.ts'
import type { UserRecord } from './user-record.ts'

export type { Authorization, AuthorizationState, NewAuthorization } from './authorization.ts'
export type { AccountOpenid, Change } from './change.ts'
export type { CommitNotice, Committed, Step } from './commit-notice.ts'
export type { BindReason, EventReason, EventType, Identity, Language, UpdateReason } from './identity.ts'
export type { Claimable, NewTicket, Ticket, TicketWithQr } from './ticket.ts'
export type { NewBinding, RateWindow, TicketEpoch, Tx, UnitOfWork } from './tx.ts'
export type { AskedBinding, UnionidAnswer, UnionidRequest, UnionidStore } from './unionid-store.ts'
export type { Binding, PendingConfirmation, RefusedScan, TicketState, User, UserVersion } from './user.ts'

export type WriteOptions = {
  /**
   * Resolves after the commit, without its own fsync. The next durable `write` also makes this commit durable; only a power
   * failure before that can lose it. Use it only for a unit that raises no version and is followed by another `write`.
   * PostgreSQL's commits are durable in any case.
   */
  isDurableLater?: boolean
  /**
   * Called after the commit with the time in ms that its transaction took, from the first lock to the commit. On SQLite all other
   * writes waited during this time. The time to wait for a lock of another process and the fsync do not count there. SQLite begins the
   * unit after a pause, because the caller changes many rows (`sqlite/pace.ts`).
   */
  onTook?: (ms: number) => void
}

export type Store = {
  /**
   * Runs `work` and resolves after its commit is durable. Several units may share a transaction, and a unit may run more than
   * once. When a unit throws, only its own changes are rolled back.
   */
  write<T>(work: UnitOfWork<T>, options?: WriteOptions): Promise<T>
  user(identity: Identity): Promise<User>
  /** Takes half the time of `user`. */
  userVersion(identity: Identity): Promise<UserVersion>
  /** In the same order. */
  users(identities: Identity[]): Promise<User[]>
  /** All stored data of a user. Undefined for a user that the store does not know. */
  userRecord(identity: Identity): Promise<UserRecord | undefined>
  listBindings: BindingWalk
  events: EventFeed
  /** The user's newest ticket that can be scanned at `now`. */
  liveTicket(identity: Identity, now: number): Promise<TicketWithQr | undefined>
  /**
   * Works like `Tx.countAttempt`, in a transaction of its own. Use it for windows that several users share, because a unit of
   * work would lock the row of such a window out of order. Durable with the next `write`.
   */
  countAttempt(scope: string, limit: number, until: number, now: number): Promise<boolean>
  unionids: UnionidStore
  /** The number of bindings that belong to another Official Account than `appId`. */
  countOtherBindings(appId: string): Promise<number>
  /**
   * Calls `listener` for every version that a commit of any instance has changed, and with `missed` when notifications may have
   * been lost. Returns a function that removes the listener.
   */
  onCommit(listener: (notice: CommitNotice) => void): () => void
  /** The events that the tenants' webhooks have not accepted yet. */
  outbox: Outbox
  /** The data and functions that only the console uses. */
  console: ConsoleStore
  /**
   * Completes the erasures made until `before` whose notices were accepted or given up: deletes the last events and the identity.
   * Called every few seconds.
   */
  purgeErased(before: number): Promise<void>
  /** Deletes expired rows, in batches small enough not to delay requests. */
  sweep(now: number): Promise<void>
  ping(): Promise<void>
  close(): Promise<void>
}
