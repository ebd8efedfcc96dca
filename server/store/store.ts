/** What the server keeps, and the promise that every engine gives. `storeContract` in test/server/store holds each engine to it. */
import type { Confirm, UnbindReason } from '../wire.ts'
import type { BindReason, Identity, Language } from './identity.ts'
import type { Outbox } from './outbox.ts'

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
export type Hold = {
  confirm: Confirm
  openid: string
  eventTime: number
  until: number
  /** With `code`: the four digits that the chat shows and the page must be given. */
  digits: string | null
  triesLeft: number
  reason: BindReason
}

/** `pending` can be scanned, `held` waits for its confirmation, the others are over. */
export type TicketState =
  | { name: 'pending' }
  | { name: 'held'; hold: Hold }
  | { name: 'used' }
  | { name: 'replaced' }
  | { name: 'dead' }

/** One QR and its scene. Times are epoch ms. */
export type Ticket = {
  id: number
  user: number
  appId: string
  scene: string
  /** The text path's code. */
  code: string
  /** WeChat's own ticket, for its picture of the QR. */
  wechatTicket: string
  url: string
  label: string | null
  lang: Language
  createdAt: number
  expiresAt: number
  state: TicketState
}

export type NewTicket = Omit<Ticket, 'id' | 'user' | 'state'>

/** A user with what is true of it now. A user never seen has id 0 and version 0. */
export type User = {
  id: number
  identity: Identity
  version: number
  /** Why the last binding ended. */
  reason: UnbindReason | null
  binding: Binding | null
  hold: Hold | null
}

/** One step of a decision, applied in the transaction that read its facts. */
export type Change =
  /** `shownAt`: when the ticket that led here was made. */
  | { type: 'bind'; user: number; binding: Binding; reason: BindReason; at: number; shownAt?: number }
  | { type: 'unbind'; user: number; reason: UnbindReason; at: number }
  | { type: 'mark'; user: number; subscribed: boolean; eventTime: number }
  | { type: 'hold'; ticket: number; user: number; hold: Hold }
  | { type: 'relabel'; ticket: number; label: string; lang: Language }
  | { type: 'missed'; ticket: number; triesLeft: number }
  | { type: 'close'; ticket: number; user: number; as: 'used' | 'replaced' | 'dead'; wakes: boolean }
  /** Every other ticket of the user that could still be scanned. */
  | { type: 'closeOthers'; user: number; ticket: number }
  | { type: 'erase'; appId: string; openid: string; eventTime: number; until: number }
  | { type: 'wrongCode'; openid: string; at: number }

/** Facts and changes inside one transaction. What a decision reads stays true until the commit. */
export type Tx = {
  userOf(identity: Identity): Promise<User>
  userById(id: number): Promise<User>
  ticketByScene(scene: string): Promise<Ticket | undefined>
  ticketByCode(appId: string, code: string): Promise<Ticket | undefined>
  /** The tickets that this openid has scanned and not confirmed, the latest scan first; some may have run out. */
  heldBy(appId: string, openid: string): Promise<Ticket[]>
  heldOf(user: number): Promise<Ticket | undefined>
  /** Every user, of every tenant, to whom this openid is bound; the latest binding first. */
  ownersOf(appId: string, openid: string): Promise<User[]>
  /** `CreateTime` (Unix s) of the last unfollow of an erased openid, while it is remembered. */
  erasedAt(appId: string, openid: string): Promise<number | undefined>
  wrongCodesSince(openid: string, since: number): Promise<number>
  /** Whether anyone's ticket, made since, can still be scanned. */
  isAnyPending(appId: string, since: number): Promise<boolean>
  apply(change: Change): Promise<void>
  /**
   * What was remembered under this key (null is a value too), or undefined. The key is kept as a hash, but for the digits of
   * `<Unix s>|` it may begin with: what comes at one time then lies together, and a commit writes fewer pages.
   */
  recall(key: string): Promise<string | null | undefined>
  remember(key: string, text: string | null, until: number): Promise<void>
  addTicket(identity: Identity, ticket: NewTicket, replacesOthers: boolean): Promise<Ticket>
  /** Spends a jti; false when it was spent before. */
  spend(jti: string, until: number): Promise<boolean>
}

/** `version` as committed: a waiter that knows a smaller one has something to hear. */
export type Committed = { identity: Identity; version: number }

/** `missed`: another instance may have committed unheard, for any user. */
export type Tidings = Committed | 'missed'

export type Store = {
  /**
   * Runs `work` as one atomic unit and resolves after its durable commit. Several units may be committed together; a unit
   * may run twice, so it must do nothing but use `tx`. What it throws undoes it alone.
   */
  write<T>(work: (tx: Tx) => Promise<T>): Promise<T>
  user(identity: Identity): Promise<User>
  /** The ticket to show: the newest that can be scanned at `now`. */
  liveTicket(identity: Identity, now: number): Promise<Ticket | undefined>
  /** Tickets of the user made since; with `dead`, those of them that ended by wrong digits. */
  ticketsSince(identity: Identity, since: number, state?: 'dead'): Promise<number>
  /** Sets the unionid if the openid is still the one bound. */
  setUnionid(user: number, openid: string, unionid: string): Promise<void>
  /** Called after each commit that raised a version, on every instance, and with `missed` after a gap. Returns its own end. */
  onCommit(listener: (tidings: Tidings) => void): () => void
  /** Changes that wait to be told to the tenants' webhooks. */
  outbox: Outbox
  /** Forgets what has run out; in small batches, so that nobody waits for it. */
  sweep(now: number): Promise<void>
  ping(): Promise<void>
  close(): Promise<void>
}
