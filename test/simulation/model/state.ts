/**
 * The state of the model. It contains what users, back ends and WeChat can observe according to the contract. The model
 * was written independently of the server's rules, and imports nothing from `server/`. All records are immutable, so
 * that a copy of the state is a copy of a few maps.
 */

import type { Choose } from './explain.ts'
import type { Answer } from './page.ts'
import type { Asked } from './qrcode.ts'

export type Settings = {
  /** Whether pages inside WeChat can bind with one tap. */
  hasOauth: boolean
  /**
   * The answer to WeChat if the system at `FORWARD_URL` fails. With `retry` it is an error, with `hide` it is not.
   * `off` means that there is no such system.
   */
  forward: 'off' | 'retry' | 'hide'
  /** `FORWARD_ALL`. */
  forwardsAll: boolean
  /** The number of QR codes that each server requests in advance. */
  ready: number
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

/** One run of WeChat's web authorization. The openid is known while the authorization waits for the page's proof. */
export type Authorization = {
  user: UserKey
  state: 'requested' | 'exchanging' | 'proven' | 'closed'
  createdAt: number
  until: number
  openid: string | null
}

export type Bound = {
  openid: string
  unionid: string | null
  subscribed: boolean
  boundAt: number
  /** `CreateTime` of the newest event that was applied. */
  time: number
  /** The step in which this event was applied, or in which the binding was made. */
  heardIn: number
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

type Delivery = { reply: Reply; isOurs: boolean; until: number; user: UserKey | null }

/** The result of a request for a QR code: the scene, or the code of a refusal. */
export type Made = { scene: string } | { code: string }

/**
 * An action of an operator in the console. `user` is empty if the action did not concern a user, or if the user was
 * erased afterwards.
 */
export type Action = {
  at: number
  operator: string
  action: string
  user: UserKey
  version: number | null
  hasSubject: boolean
}

export type State = {
  now: number
  /** The number of steps so far. */
  step: number
  settings: Settings
  users: Map<UserKey, User>
  tickets: Map<string, Ticket>
  /**
   * The authorizations. The keys are the hashes of WeChat's parameter `state`. A new authorization of this step
   * has a temporary key.
   */
  authorizations: Map<string, Authorization>
  events: Event[]
  /**
   * The sessions of the console. The keys are the hashes of the cookies. A new session of this step has a temporary
   * key.
   */
  sessions: Map<string, { name: string; until: number }>
  signIns: { count: number; until: number } | undefined
  actions: Action[]
  /** `CreateTime` of the last unfollow of an openid. */
  unfollows: Map<string, { time: number; until: number }>
  deliveries: Map<string, Delivery>
  wrongCodes: Map<string, number[]>
  windows: Map<string, { count: number; until: number }>
  /** The accepted requests, each with the time after which the server may delete its record. */
  jtis: Map<string, number>
  /**
   * The scenes of QR codes that belong to no ticket yet, and that a ticket of this step may get. If the server requests
   * no QR codes in advance, these are all QR codes that WeChat has created in this step.
   */
  offered: string[]
  /** How many of `offered` a request has taken in this step whose ticket does not have its scene yet, or never gets it. */
  taken: number
  /** The openids that WeChat has returned in this step. The keys are the codes of web authorizations. */
  exchanged: Map<string, string>
  /** The keys of the messages that the server has forwarded in this step. */
  forwarded: string[]
  /** Whether WeChat has returned the new openids of a migrated account in this step. */
  hasChangedOpenids: boolean
  /**
   * The results of the requests for a QR code in this step, by user and kind. Requests at the same time may share a
   * result.
   */
  made: Map<string, Made>
  /** The requests of this step that wait for WeChat, by user and kind. */
  asking: Map<string, Asked>
  /** What pages could be told of the users who were erased in this step, directly before the erasure. */
  beforeErasure: { user: UserKey; view: Answer }[]
  /** Copies data from WeChat's answers of this step into the model, if the server may have stored the data by now. */
  learn: (m: State, choose: Choose) => void
}

export const newState = (settings: Settings, now: number): State => ({
  now,
  step: 0,
  settings,
  users: new Map(),
  tickets: new Map(),
  authorizations: new Map(),
  events: [],
  sessions: new Map(),
  signIns: undefined,
  actions: [],
  unfollows: new Map(),
  deliveries: new Map(),
  wrongCodes: new Map(),
  windows: new Map(),
  jtis: new Map(),
  offered: [],
  taken: 0,
  exchanged: new Map(),
  forwarded: [],
  hasChangedOpenids: false,
  made: new Map(),
  asking: new Map(),
  beforeErasure: [],
  learn() {},
})

export const copyState = (m: State): State => ({
  ...m,
  users: new Map(m.users),
  tickets: new Map(m.tickets),
  authorizations: new Map(m.authorizations),
  events: [...m.events],
  sessions: new Map(m.sessions),
  actions: [...m.actions],
  unfollows: new Map(m.unfollows),
  deliveries: new Map(m.deliveries),
  wrongCodes: new Map(m.wrongCodes),
  windows: new Map(m.windows),
  jtis: new Map(m.jtis),
  offered: [...m.offered],
  forwarded: [...m.forwarded],
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

/** Returns whether the openid belongs to the Official Account before its migration. */
export const isOld = (openid: string): boolean => openid.startsWith('old')
