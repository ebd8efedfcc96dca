/**
 * The store's interface: the values that it keeps and the operations that both engines implement. `storeContract` in
 * test/server/store runs the same tests on each engine.
 */
import type { Notice, UnbindReason } from '../wire.ts'
import type { Authorization, NewAuthorization } from './authorization.ts'
import type { BindingWalk } from './binding-walk.ts'
import type { ConsoleAction, ConsoleStore } from './console-store.ts'
import type { EventFeed } from './event-feed.ts'
import type { BindReason, Identity, Language } from './identity.ts'
import type { Outbox } from './outbox.ts'
import type { Plan } from './plan.ts'
import type { Binding, PendingConfirmation, TicketState, User } from './user.ts'
import type { UserRecord } from './user-record.ts'

export type { Authorization, AuthorizationState, NewAuthorization } from './authorization.ts'
export type { BindReason, EventReason, EventType, Identity, Language, UpdateReason } from './identity.ts'
export type { Binding, PendingConfirmation, RefusedScan, TicketState, User } from './user.ts'

/** A QR code and its scene, without the fields that the rules do not read. Times are epoch ms. */
export type Ticket = {
  id: number
  user: number
  appId: string
  label: string | null
  lang: Language
  createdAt: number
  expiresAt: number
  state: TicketState
}

/** The fields of a ticket that are shown to the user. */
type QrOfTicket = {
  scene: string
  /** The code that has the effect of a scan when the user sends it as a chat message. */
  code: string
  /** WeChat's own ticket, from which WeChat makes an image of the QR code. */
  wechatTicket: string
  url: string
}

export type TicketWithQr = Ticket & QrOfTicket

export type NewTicket = Omit<TicketWithQr, 'id' | 'user' | 'state'>

/** A ticket and its user. */
export type Claimable = { ticket: Ticket; user: User }

/** Attempts counted under a name, e.g. the new QR codes of a user. The window begins with its first attempt. */
export type RateWindow = { scope: string; count: number; until: number }

/** One change of a decision, applied in the transaction that has read the facts for it. */
export type Change =
  /** `shownAt`: when the scanned ticket was created. */
  | { type: 'bind'; user: number; binding: Binding; reason: BindReason; at: number; shownAt?: number }
  /** Also closes every ticket and authorization of the user, so that nothing requested earlier can bind. */
  | { type: 'unbind'; user: number; reason: UnbindReason; at: number }
  /** Adds an event only if the value has changed. */
  | { type: 'setSubscribed'; user: number; subscribed: boolean; eventTime: number; at: number }
  /** Has no effect unless the openid is bound to the user. `unionid` null: the account has none. */
  | { type: 'setUnionid'; user: number; openid: string; unionid: string | null; at: number }
  /** WeChat has answered that the openid follows the account. Has no effect if a follow or an unfollow was applied since the question. */
  | ({ type: 'setFollowing'; user: number; openid: string; at: number } & AskedBinding)
  /** Used after an account migration. Has no effect unless `from` is bound to the user. The unit has locked both openids. */
  | { type: 'moveOpenid'; user: number; from: AccountOpenid; to: AccountOpenid; at: number }
  /** Deletes the data of a user that has no binding. `Store.purgeErased` completes the erasure. */
  | { type: 'erase'; user: number; at: number }
  | { type: 'scan'; ticket: number; user: number; confirmation: PendingConfirmation }
  /** Raises the version, so that the pages show the notice. */
  | { type: 'refuse'; user: number; notice: Notice; at: number }
  | { type: 'relabel'; ticket: number; label: string | null; lang: Language }
  | { type: 'wrongDigits'; ticket: number; triesLeft: number }
  /** `delivery`: the fingerprint of the delivery that closes the ticket, by which a repeated delivery is recognized. */
  | {
      type: 'close'
      ticket: number
      user: number
      as: 'used' | 'replaced' | 'dead'
      bumpsVersion: boolean
      delivery?: string
    }
  /**
   * Closes every ticket of the user that could still bind, except `ticket`. Without `ticket`, it also closes the authorizations, and
   * invalidates QR codes that are being requested from WeChat. Raises the version only if it closed a ticket.
   */
  | { type: 'closeTickets'; user: number; ticket?: number; bumpsVersion: boolean }
  /** The browser came back from WeChat. */
  | { type: 'exchange'; authorization: number }
  /** WeChat has returned the openid. The page can confirm it with `proof` until `until`. */
  | { type: 'prove'; authorization: number; proof: string; openid: string; until: number }
  /** Removes the openid and the proof. */
  | { type: 'closeAuthorization'; authorization: number }
  | { type: 'recordUnfollow'; appId: string; openid: string; eventTime: number; until: number }
  | { type: 'wrongCode'; openid: string; at: number }
  /** Records what an operator did in the console. `subject` instead of `user`: the user is erased, and this is its hash. */
  | ({ type: 'recordAction'; operator: string; action: ConsoleAction; at: number } & (
      | { user: number }
      | { subject: string }
    ))

/** A WeChat user's name at one Official Account. */
export type AccountOpenid = { appId: string; openid: string }

/** A binding to add for a user without a binding. The store may not know the user yet. */
export type NewBinding = { identity: Identity; binding: Binding }

/** The epoch changes when every ticket of the user is closed. A QR code is stored only if the epoch is still that of its request. */
export type TicketEpoch = { user: number; epoch: number }

/** The facts that a unit of work can read, and the changes it can apply. The facts do not change before the commit. */
export type Tx = {
  userOf(identity: Identity): Plan<User>
  userById(id: number): Plan<User>
  /** The user's id; adds a user that the store does not know. */
  ensureUser(identity: Identity): Plan<number>
  /** Adds a user that the store does not know. The epoch changes when every ticket of the user is closed. */
  ticketEpoch(identity: Identity): Plan<TicketEpoch>
  /** Locks the users, so that a unit that changes several of them acquires its locks in order. */
  lockUsers(ids: number[]): Plan<void>
  ticketById(id: number): Plan<Claimable | undefined>
  ticketByScene(scene: string): Plan<Claimable | undefined>
  ticketByCode(appId: string, code: string): Plan<Claimable | undefined>
  /** The tickets that this openid has scanned and not confirmed, the latest scan first. The list may contain expired scans. */
  scannedBy(appId: string, openid: string): Plan<Ticket[]>
  /** The user's tickets that wait for their confirmation, the latest scan first. The list may contain expired scans. */
  scannedOf(user: number): Plan<Ticket[]>
  /** Tickets of any users whose time to confirm ended at `until` or earlier; at most `limit` tickets. */
  unconfirmedUntil(until: number, limit: number): Plan<Ticket[]>
  /** `state` is the value that WeChat returns with the browser; the store keeps its keyed hash. */
  addAuthorization(authorization: NewAuthorization, state: string): Plan<void>
  authorizationById(id: number): Plan<Authorization | undefined>
  authorizationByState(appId: string, state: string): Plan<Authorization | undefined>
  authorizationByProof(appId: string, proof: string): Plan<Authorization | undefined>
  /** The authorizations of this openid that wait for their confirmation. The list may contain expired authorizations. */
  authorizationsBy(appId: string, openid: string): Plan<Authorization[]>
  /** The users of all tenants to which this openid is bound, the latest binding first. */
  ownersOf(appId: string, openid: string): Plan<User[]>
  /** Works like `userOf` for many users, in the same order. A user that the store does not know has version 0. */
  usersOf(identities: Identity[]): Plan<User[]>
  /** Works like `ownersOf` for many openids, in any order. It must be the first read of a unit, because it locks all openids with one statement. */
  ownersOfAll(names: AccountOpenid[]): Plan<User[]>
  /** Binds different users that have no binding, with a few statements for all. Adds the users that the store does not know. */
  bindAll(bindings: NewBinding[], reason: BindReason, at: number): Plan<void>
  /** `CreateTime` (Unix s) of the newest recorded unfollow of this openid; undefined without an unfollow that is still stored. */
  unfollowedAt(appId: string, openid: string): Plan<number | undefined>
  wrongCodesSince(openid: string, since: number): Plan<number>
  /** Whether any user has a pending ticket that expires after `since`. */
  isAnyPending(appId: string, since: number): Plan<boolean>
  apply(change: Change): Plan<void>
  /**
   * The keyed hash that is stored in place of a delivery's key, which may contain an openid. The key's prefix `<Unix s>|` is not
   * hashed, so that rows of one time are neighbours in the index and a commit writes fewer pages.
   */
  fingerprint(key: string): string
  /** The text that was recorded for this fingerprint. The text may be null; undefined means that nothing was recorded. */
  findDelivery(fingerprint: string): Plan<string | null | undefined>
  /** `user`: the user whose label is in the text. */
  recordDelivery(fingerprint: string, text: string | null, until: number, user?: number | null): Plan<void>
  addTicket(identity: Identity, ticket: NewTicket, replacesOthers: boolean): Plan<TicketWithQr>
  /** The user's first ticket with a larger id than `ticket` that can be scanned at `now`. */
  firstPendingAfter(user: number, ticket: number, now: number): Plan<TicketWithQr | undefined>
  /** The window of this name, unless it is over at `now`. */
  rateWindow(scope: string, now: number): Plan<RateWindow | undefined>
  /**
   * Counts an attempt of a user that is locked. Returns false if the window has reached `limit`. If the window is over, a new
   * window begins and ends at `until`.
   */
  countAttempt(scope: string, limit: number, until: number, now: number): Plan<boolean>
  /** Consumes a jti. Returns false when the jti was consumed before. */
  consumeJti(jti: string, until: number): Plan<boolean>
  /** Completes at most `limit` of the erasures made until `before`. Returns true if more may be left. */
  purgeErased(before: number, limit: number): Plan<boolean>
}

/** A step of the funnel that a commit has made. `tookMs`: the time from the QR code to the binding. */
export type Step =
  | { name: 'scan' }
  | { name: 'bind'; reason: BindReason; tookMs: number | undefined }
  | { name: 'unbind' }

/**
 * A user's version after a commit. The server sends the new state to a waiting page that knows a smaller version. `steps` is present
 * only in notices of this instance's own commits.
 */
export type Committed = { identity: Identity; version: number; steps?: Step[] }

/** `missed` means that notifications of other instances may have been lost, so any user may have changed. */
export type CommitNotice = Committed | 'missed'

/**
 * The state of a binding when WeChat was asked about it. No other binding of the user has the same `version`. `due` is the time
 * at which the server would ask WeChat again. Each follow or unfollow that is applied in the meantime makes `due` smaller.
 */
export type AskedBinding = { version: number; due: number }

/** A binding whose unionid has not been requested from WeChat. */
export type UnionidRequest = { user: number; openid: string } & AskedBinding

/**
 * WeChat's answer; `unionid` is null when the account has none. `follows` is present if WeChat says that the openid follows the
 * account.
 */
export type UnionidAnswer = {
  user: number
  openid: string
  unionid: string | null
  follows?: AskedBinding | undefined
}

export type UnionidStore = {
  /** At most `limit` requests that are due at `now`. A request becomes due again at `againAt` unless its answer is saved. */
  claimDue(now: number, againAt: number, limit: number): Promise<UnionidRequest[]>
  /**
   * Saves the answers, except the answers whose openid is no longer bound to its user. Each new unionid, and a follow that was
   * not known, adds an event.
   */
  save(answers: UnionidAnswer[], at: number): Promise<void>
}

/**
 * A unit of work: the reads, decisions and changes that run in one transaction, written as a plan (`plan.ts`). The comments of this
 * folder call it a unit.
 */
export type UnitOfWork<T = unknown> = (tx: Tx) => Plan<T>

export type WriteOptions = {
  /**
   * Resolves after the commit, without its own fsync. The next durable `write` also makes this commit durable; only a power
   * failure before that can lose it. Use it only for a unit that raises no version and is followed by another `write`.
   * PostgreSQL's commits are durable in any case.
   */
  isDurableLater?: boolean
}

export type Store = {
  /**
   * Runs `work` and resolves after its commit is durable. Several units may share a transaction, and a unit may run more than
   * once. When a unit throws, only its own changes are rolled back.
   */
  write<T>(work: UnitOfWork<T>, options?: WriteOptions): Promise<T>
  user(identity: Identity): Promise<User>
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
