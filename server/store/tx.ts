/** The facts and changes of a transaction. */
import type { Authorization, NewAuthorization } from './authorization.ts'
import type { AccountOpenid, Change } from './change.ts'
import type { BindReason, Identity } from './identity.ts'
import type { Plan } from './plan.ts'
import type { Claimable, NewTicket, Ticket, TicketWithQr } from './ticket.ts'
import type { Binding, User } from './user.ts'

/** Attempts counted under a name, e.g. the new QR codes of a user. The window begins with its first attempt. */
export type RateWindow = { scope: string; count: number; until: number }

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

/**
 * A unit of work: the reads, decisions and changes that run in one transaction, written as a plan (`plan.ts`). The comments of this
 * folder call it a unit.
 */
export type UnitOfWork<T = unknown> = (tx: Tx) => Plan<T>
