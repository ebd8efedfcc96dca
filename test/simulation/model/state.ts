/**
 * The state of the model. It contains what users, back ends and WeChat can observe according to the contract. The model
 * was written independently of the server's rules, and imports nothing from `server/`. All records are immutable, so
 * that a copy of the state is a copy of a few maps.
 */

import type { Asked } from './page.ts'

export type Settings = {
  conflict: 'reject' | 'replace' | 'allow'
  confirm: 'off' | 'reply' | 'code'
  unsubscribe: 'unbind' | 'mark'
}

/** `tenant/account/userId` */
export type UserKey = string

/** A scan that waits for its confirmation. */
export type Hold = {
  openid: string
  /** `CreateTime` of the scan. */
  time: number
  until: number
  kind: 'reply' | 'code'
  digits: string | null
  tries: number
  reason: 'scan' | 'text'
}

export type Ticket = {
  /**
   * The id that the store has assigned. The ids give the order of the tickets, and a link in the chat contains the id.
   */
  id: number
  scene: string
  code: string
  user: UserKey
  label: string | null
  createdAt: number
  expiresAt: number
  state: 'pending' | 'scanned' | 'used' | 'replaced' | 'dead'
  usedBy: string | null
  hold: Hold | null
}

export type Bound = {
  openid: string
  unionid: string | null
  subscribed: boolean
  boundAt: number
  /** `CreateTime` of the newest event that was applied. */
  time: number
  label: string | null
}

export type User = {
  key: UserKey
  /** The id that the store has assigned. The ids give the order of users who were bound at the same time. */
  id: number
  isKnown: boolean
  /** Increases when the store has deleted the user after an erasure. */
  life: number
  version: number
  reason: string | null
  bound: Bound | null
  notice: { name: string; version: number; at: number } | null
  /** Increases when all tickets of the user are closed at once. */
  epoch: number
  /** True if the user was erased. The server may complete the erasure at any time. */
  erased: boolean
}

export type Event = {
  user: UserKey
  version: number
  type: 'bound' | 'unbound' | 'updated'
  reason: string
  at: number
  /** The WeChat of a new binding; null for an unbinding. */
  openid: string | null
  /** True if the user was erased. The server may delete the event at any time. */
  erased: boolean
}

export type Reply = { name: string; label: string | null; digits?: string } | null

type Delivery = { reply: Reply; until: number; user: UserKey | null }

/** The result of a request for a QR code: the scene, or the code of a refusal. */
export type Made = { scene: string } | { code: string }

export type State = {
  now: number
  settings: Settings
  users: Map<UserKey, User>
  tickets: Map<string, Ticket>
  events: Event[]
  /** `CreateTime` of the last unfollow of an openid. */
  unfollows: Map<string, { time: number; until: number }>
  deliveries: Map<string, Delivery>
  wrongCodes: Map<string, number[]>
  windows: Map<string, { count: number; until: number }>
  /** The accepted requests, each with the time after which the server may delete its record. */
  jtis: Map<string, number>
  /** The scenes of the QR codes that WeChat has created in this step and that belong to no ticket yet. */
  offered: string[]
  /**
   * The results of the requests for a QR code in this step, by user and kind. Requests at the same time may share a
   * result.
   */
  made: Map<string, Made>
  /** The requests of this step that wait for WeChat, by user and kind. */
  asking: Map<string, Asked>
}

export const newState = (settings: Settings, now: number): State => ({
  now,
  settings,
  users: new Map(),
  tickets: new Map(),
  events: [],
  unfollows: new Map(),
  deliveries: new Map(),
  wrongCodes: new Map(),
  windows: new Map(),
  jtis: new Map(),
  offered: [],
  made: new Map(),
  asking: new Map(),
})

export const copyState = (m: State): State => ({
  ...m,
  users: new Map(m.users),
  tickets: new Map(m.tickets),
  events: [...m.events],
  unfollows: new Map(m.unfollows),
  deliveries: new Map(m.deliveries),
  wrongCodes: new Map(m.wrongCodes),
  windows: new Map(m.windows),
  jtis: new Map(m.jtis),
  offered: [...m.offered],
  made: new Map(m.made),
  asking: new Map(m.asking),
})

const unknown = (key: UserKey): User => ({
  key,
  id: 0,
  isKnown: false,
  life: 0,
  version: 0,
  reason: null,
  bound: null,
  notice: null,
  epoch: 0,
  erased: false,
})

export const userOf = (m: State, key: UserKey): User => m.users.get(key) ?? unknown(key)

export function setUser(m: State, key: UserKey, change: Partial<User>): void {
  m.users.set(key, { ...userOf(m, key), ...change })
}

export function setTicket(m: State, { scene }: Ticket, change: Partial<Ticket>): void {
  const ticket = m.tickets.get(scene)
  if (ticket) m.tickets.set(scene, { ...ticket, ...change })
}

export const ticketsOf = (m: State, key: UserKey): Ticket[] =>
  [...m.tickets.values()].filter(({ user }) => user === key)

export const isOpen = ({ state }: Ticket): boolean => state === 'pending' || state === 'scanned'

/** A ticket with a scan that waits for its confirmation. */
export type HeldTicket = Ticket & { hold: Hold }

/** Returns the tickets with a waiting scan, the latest scan first. */
export const holds = (tickets: Iterable<Ticket>): HeldTicket[] =>
  [...tickets]
    .filter((ticket): ticket is HeldTicket => ticket.state === 'scanned' && ticket.hold !== null)
    .sort((a, b) => b.hold.until - a.hold.until || b.id - a.id)

export const tenantOf = (key: UserKey): string => key.slice(0, key.indexOf('/'))

/** Returns the users who are bound to this WeChat, the latest binding first. */
export const ownersOf = (m: State, openid: string): User[] =>
  [...m.users.values()]
    .filter(({ bound }) => bound?.openid === openid)
    .sort((a, b) => (b.bound?.boundAt ?? 0) - (a.bound?.boundAt ?? 0) || b.id - a.id)

/** Increases the version by 1, because the page must display a change. */
export function bump(m: State, key: UserKey): number {
  const version = userOf(m, key).version + 1
  setUser(m, key, { version })
  return version
}

export function addEvent(m: State, key: UserKey, type: Event['type'], reason: string, at = m.now): void {
  const { version, bound } = userOf(m, key)
  const openid = type === 'unbound' ? null : (bound?.openid ?? null)
  m.events.push({ user: key, version, type, reason, at, openid, erased: false })
}

/** Closes the tickets of a user that could still bind. Returns their number. */
export function closeOpen(m: State, key: UserKey, except?: Ticket): number {
  const open = ticketsOf(m, key).filter((ticket) => isOpen(ticket) && ticket.scene !== except?.scene)
  for (const ticket of open) setTicket(m, ticket, { state: 'replaced', hold: null })
  if (!except) setUser(m, key, { epoch: userOf(m, key).epoch + 1 })
  return open.length
}

export function unbindUser(m: State, key: UserKey, reason: string): void {
  closeOpen(m, key)
  setUser(m, key, { bound: null, reason })
  bump(m, key)
  addEvent(m, key, 'unbound', reason)
}

export function bindUser(m: State, key: UserKey, bound: Bound, reason: string): void {
  setUser(m, key, { bound, reason: null })
  bump(m, key)
  addEvent(m, key, 'bound', reason)
}

/** Records a follow or an unfollow in a binding. */
export function setSubscribed(m: State, key: UserKey, subscribed: boolean, time: number): void {
  const { bound } = userOf(m, key)
  if (!bound) return
  setUser(m, key, { bound: { ...bound, subscribed, time } })
  if (bound.subscribed === subscribed) return
  bump(m, key)
  addEvent(m, key, 'updated', subscribed ? 'subscribed' : 'unsubscribed')
}

export function notify(m: State, key: UserKey, name: string): void {
  const version = bump(m, key)
  setUser(m, key, { notice: { name, version, at: m.now } })
}

/** Closes a scan without a confirmation. The page then displays the QR code again. */
export function endHold(m: State, ticket: Ticket, state: 'used' | 'dead' = 'used'): void {
  setTicket(m, ticket, { state, hold: null })
  bump(m, ticket.user)
}

/** Completes an erasure: only the version is kept, and the limits start again from zero. */
export function forgetUser(m: State, key: UserKey): void {
  const life = userOf(m, key).life + 1
  setUser(m, key, { id: 0, isKnown: false, life, reason: null, notice: null, epoch: 0, erased: false })
  for (const scope of m.windows.keys()) if (scope.endsWith(` ${key}`)) m.windows.delete(scope)
}
