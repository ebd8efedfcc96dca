/** What the server keeps, and the promise that every engine gives. `storeContract` in test/server/store holds each engine to it. */
import type { Confirm, UnbindReason } from '../wire.ts'
import type { BindReason, Identity, Language } from './identity.ts'
import type { Outbox } from './outbox.ts'
import type { Plan } from './plan.ts'

export type { BindReason, Identity, Language } from './identity.ts'

/** A WeChat bound to a user. `eventTime` is the `CreateTime` (Unix s) of the newest fact about it. */
export type Binding = {
  appId: string
  openid: string
  unionid: string | null
  subscribed: boolean
  /** Epoch ms, our clock. */
  boundAt: number
  eventTime: number
  /** How the chat names the account, and in which language it speaks. */
  label: string | null
  lang: Language
}

/** A scan that waits for its confirmation; at `until` (epoch ms) the ticket is dead. */
export type PendingConfirmation = {
  confirm: Confirm
  openid: string
  eventTime: number
  until: number
  /** With `code`: the four digits that the chat shows and the page must be given. */
  digits: string | null
  triesLeft: number
  reason: BindReason
}

/** `pending` can be scanned, `held` waits for its confirmation, the others are over. `by`: the delivery that bound it, as a fingerprint. */
export type TicketState =
  | { name: 'pending' }
  | { name: 'scanned'; confirmation: PendingConfirmation }
  | { name: 'used'; delivery: string | null }
  | { name: 'replaced' }
  | { name: 'dead' }

/** One QR and its scene, as far as the rules look at it. Times are epoch ms. */
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

/** What a person scans, sees or types. */
type QrOfTicket = {
  scene: string
  /** The text path's code. */
  code: string
  /** WeChat's own ticket, for its picture of the QR. */
  wechatTicket: string
  url: string
}

export type TicketWithQr = Ticket & QrOfTicket

export type NewTicket = Omit<TicketWithQr, 'id' | 'user' | 'state'>

/** A ticket that may be claimed, and whose it is. */
export type Claimable = { ticket: Ticket; user: User }

/** A user with what is true of it now. A user never seen has id 0 and version 0. */
export type User = {
  id: number
  identity: Identity
  version: number
  /** Why the last binding ended. */
  reason: UnbindReason | null
  binding: Binding | null
  confirmation: PendingConfirmation | null
}

/** One step of a decision, applied in the transaction that read its facts. */
export type Change =
  /** `shownAt`: when the ticket that led here was made. */
  | { type: 'bind'; user: number; binding: Binding; reason: BindReason; at: number; shownAt?: number }
  | { type: 'unbind'; user: number; reason: UnbindReason; at: number }
  | { type: 'setSubscribed'; user: number; subscribed: boolean; eventTime: number }
  | { type: 'scan'; ticket: number; user: number; confirmation: PendingConfirmation }
  | { type: 'relabel'; ticket: number; label: string; lang: Language }
  | { type: 'wrongDigits'; ticket: number; triesLeft: number }
  /** `by`: the fingerprint of the delivery that bound it, which a second one is told by. */
  | {
      type: 'close'
      ticket: number
      user: number
      as: 'used' | 'replaced' | 'dead'
      bumpsVersion: boolean
      delivery?: string
    }
  /** Every other ticket of the user that could still be scanned. */
  | { type: 'closeOthers'; user: number; ticket: number }
  | { type: 'recordUnfollow'; appId: string; openid: string; eventTime: number; until: number }
  | { type: 'wrongCode'; openid: string; at: number }

/** Facts and changes inside one transaction. What a decision reads stays true until the commit. */
export type Tx = {
  userOf(identity: Identity): Plan<User>
  userById(id: number): Plan<User>
  ticketByScene(scene: string): Plan<Claimable | undefined>
  ticketByCode(appId: string, code: string): Plan<Claimable | undefined>
  /** The tickets that this openid has scanned and not confirmed, the latest scan first; some may have run out. */
  scannedBy(appId: string, openid: string): Plan<Ticket[]>
  scannedOf(user: number): Plan<Ticket | undefined>
  /** Every user, of every tenant, to whom this openid is bound; the latest binding first. */
  ownersOf(appId: string, openid: string): Plan<User[]>
  /** `CreateTime` (Unix s) of the last unfollow of an erased openid, while it is remembered. */
  unfollowedAt(appId: string, openid: string): Plan<number | undefined>
  wrongCodesSince(openid: string, since: number): Plan<number>
  /** Whether anyone's ticket, made since, can still be scanned. */
  isAnyPending(appId: string, since: number): Plan<boolean>
  apply(change: Change): Plan<void>
  /**
   * What may be kept of a delivery's key: a keyed hash, but for the digits of `<Unix s>|` it may begin with. What comes at one
   * time then lies together, and a commit writes fewer pages.
   */
  fingerprint(key: string): string
  /** What was remembered under this fingerprint (null is a value too), or undefined. */
  findDelivery(fingerprint: string): Plan<string | null | undefined>
  recordDelivery(fingerprint: string, text: string | null, until: number): Plan<void>
  addTicket(identity: Identity, ticket: NewTicket, replacesOthers: boolean): Plan<TicketWithQr>
  /** The first of the user's tickets after this one (by id) that can still be scanned at `now`. */
  firstPendingAfter(user: number, ticket: number, now: number): Plan<TicketWithQr | undefined>
  /** Spends a jti; false when it was spent before. */
  consumeJti(jti: string, until: number): Plan<boolean>
}

/** `version` as committed: a waiter that knows a smaller one has something to hear. */
export type Committed = { identity: Identity; version: number }

/** `missed`: another instance may have committed unheard, for any user. */
export type CommitNotice = Committed | 'missed'

/** A binding whose unionid nobody has asked WeChat for, and what came of it: null where there is none. */
export type UnionidRequest = { user: number; openid: string }
export type UnionidAnswer = UnionidRequest & { unionid: string | null }

export type UnionidStore = {
  /** So many that are due at `now`; they are due once more at `again`, should no answer be kept. */
  claimDue(now: number, againAt: number, limit: number): Promise<UnionidRequest[]>
  /** Of an openid that is no longer the one bound nothing is kept. */
  save(answers: UnionidAnswer[]): Promise<void>
}

/** A unit of work: a generator function, so that it can do nothing but use `tx`. */
export type UnitOfWork<T = unknown> = (tx: Tx) => Plan<T>

export type Store = {
  /**
   * Runs `work` as one atomic unit and resolves after its durable commit. Several units may be committed together, and a unit
   * may run twice. What it throws undoes it alone.
   */
  write<T>(work: UnitOfWork<T>): Promise<T>
  user(identity: Identity): Promise<User>
  /** The ticket to show: the newest that can be scanned at `now`. */
  liveTicket(identity: Identity, now: number): Promise<TicketWithQr | undefined>
  /** Tickets of the user made since; with `dead`, those of them that ended by wrong digits. */
  ticketsSince(identity: Identity, since: number, state?: 'dead'): Promise<number>
  unionids: UnionidStore
  /** Called after each commit that raised a version, on every instance, and with `missed` after a gap. Returns its own end. */
  onCommit(listener: (notice: CommitNotice) => void): () => void
  /** Changes that wait to be told to the tenants' webhooks. */
  outbox: Outbox
  /** Forgets what has run out; in small batches, so that nobody waits for it. */
  sweep(now: number): Promise<void>
  ping(): Promise<void>
  close(): Promise<void>
}
