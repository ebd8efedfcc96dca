/** Reads the rows of the store, and compares them with the model. */
import {
  addEvent,
  bump,
  type Event,
  endHold,
  forgetUser,
  type State,
  setTicket,
  setUser,
  type Ticket,
  type User,
  type UserKey,
  userOf,
} from './state.ts'

type Row = Record<string, string | number | null>

export type ObservedUser = Pick<User, 'id' | 'version' | 'reason' | 'bound' | 'notice'>
export type ObservedEvent = Omit<Event, 'openid'> & { id: number; uid: string }

export type Observed = {
  users: Map<UserKey, ObservedUser>
  /** The versions of erased users. The keys are the hashes of their ids. */
  floors: Map<string, number>
  tickets: Map<string, Omit<Ticket, 'usedBy'>>
  events: ObservedEvent[]
  memory: Memory
}

/** The records with which the server recognises a repeated request, to refuse it or to repeat the answer. */
type Memory = {
  windows: Map<string, { count: number; until: number }>
  unfollows: Map<string, { time: number; until: number }>
  deliveries: Map<string, number>
  jtis: number[]
  wrongCodes: number[]
}

export const queries = {
  users: 'select id, tenant, account, user_id, version, reason, notice, notice_version, notice_at from users',
  bindings: 'select "user", openid, unionid, subscribed, bound_at, event_time, label from bindings',
  tickets:
    'select id, "user", scene, code, label, created_at, expires_at, state, openid, event_time, confirm, confirm_until, digits, tries_left, reason from tickets order by id',
  events: 'select id, "user", version, type, reason, at, uid, erased from events order by id',
  windows: "select scope, count, until from rate_windows where scope like '%/user/%'",
  unfollows: 'select openid_hash, event_time, until from unfollow_tombstones',
  deliveries: 'select key, until from deliveries',
  jtis: 'select until from jtis',
  wrongCodes: 'select at from wrong_codes',
}

const text = (value: unknown) => (value === null ? null : String(value))

export type Rows = { [name in keyof typeof queries]: Row[] }

export function toObserved(rows: Rows): Observed {
  const bound = new Map(rows.bindings.map((row) => [Number(row.user), toBound(row)]))
  const keys = new Map<number, UserKey>()
  const observed: Observed = {
    users: new Map(),
    floors: new Map(),
    tickets: new Map(),
    events: [],
    memory: toMemory(rows),
  }
  for (const row of rows.users) {
    if (row.tenant === '') {
      observed.floors.set(String(row.user_id), Number(row.version))
      continue
    }
    const id = Number(row.id)
    const key = `${row.tenant}/${row.account}/${row.user_id}`
    keys.set(id, key)
    const notice =
      row.notice === null
        ? null
        : { name: String(row.notice), version: Number(row.notice_version), at: Number(row.notice_at) }
    observed.users.set(key, {
      id,
      version: Number(row.version),
      reason: text(row.reason),
      bound: bound.get(id) ?? null,
      notice,
    })
  }
  for (const row of rows.tickets) {
    observed.tickets.set(String(row.scene), {
      id: Number(row.id),
      scene: String(row.scene),
      code: String(row.code),
      user: keys.get(Number(row.user)) ?? '',
      label: text(row.label),
      createdAt: Number(row.created_at),
      expiresAt: Number(row.expires_at),
      state: row.state as Ticket['state'],
      hold: toHold(row),
    })
  }
  observed.events = rows.events.map((row) => ({
    id: Number(row.id),
    user: keys.get(Number(row.user)) ?? '',
    version: Number(row.version),
    type: row.type as Event['type'],
    reason: String(row.reason),
    at: Number(row.at),
    uid: String(row.uid),
    erased: Number(row.erased) === 1,
  }))
  return observed
}

function toMemory({ windows, unfollows, deliveries, jtis, wrongCodes }: Rows): Memory {
  return {
    windows: new Map(windows.map((row) => [String(row.scope), { count: Number(row.count), until: Number(row.until) }])),
    unfollows: new Map(
      unfollows.map((row) => [String(row.openid_hash), { time: Number(row.event_time), until: Number(row.until) }]),
    ),
    deliveries: new Map(deliveries.map((row) => [String(row.key), Number(row.until)])),
    jtis: jtis.map((row) => Number(row.until)),
    wrongCodes: wrongCodes.map((row) => Number(row.at)),
  }
}

const toBound = (row: Row) => ({
  openid: String(row.openid),
  unionid: text(row.unionid),
  subscribed: Number(row.subscribed) === 1,
  boundAt: Number(row.bound_at),
  time: Number(row.event_time),
  label: text(row.label),
})

function toHold(row: Row): Ticket['hold'] {
  if (row.openid === null) return null
  return {
    openid: String(row.openid),
    time: Number(row.event_time),
    until: Number(row.confirm_until),
    kind: row.confirm as 'reply' | 'code',
    digits: text(row.digits),
    tries: Number(row.tries_left),
    reason: row.reason as 'scan' | 'text',
  }
}

const SECOND = 1000
const HOUR = 3600 * SECOND
const DAY = 24 * HOUR

export type Known = {
  unionidOf: (openid: string) => string | undefined
  /** Returns whether a WeChat user follows the account. */
  follows: (openid: string) => boolean
  /**
   * These functions return the keys under which the store keeps the version of an erased user, an unfollow, and a
   * delivery.
   */
  floorOf: (key: UserKey) => string
  unfollowOf: (openid: string) => string
  deliveryOf: (key: string) => string
}

/**
 * Copies values from the store into the model: values that only the store can choose (ids, codes, digits), and changes
 * that the server may make at any time.
 */
export function adopt(m: State, seen: Observed, known: Known): void {
  forget(m, seen, known)
  for (const [scene, ticket] of m.tickets) {
    const found = seen.tickets.get(scene)
    if (!found) {
      if (m.now < ticket.expiresAt + DAY) continue
      if (ticket.hold) endHold(m, ticket)
      m.tickets.delete(scene)
      continue
    }
    if (ticket.id === 0) setTicket(m, ticket, { id: found.id, code: found.code })
    const { hold } = ticket
    if (hold?.kind === 'code' && hold.digits === null && /^\d{4}$/.test(found.hold?.digits ?? '')) {
      setTicket(m, ticket, { hold: { ...hold, digits: found.hold?.digits ?? null } })
    }
    // The server may close an expired scan at any time after its expiry.
    if (hold && found.state === 'used' && m.now >= hold.until) endHold(m, ticket)
  }
  for (const [key, user] of m.users) {
    const found = seen.users.get(key)
    if (found && user.id !== found.id) setUser(m, key, { id: found.id })
    if (found && user.erased && user.reason === 'erased' && found.reason === null) setUser(m, key, { reason: null })
    if (!found && user.erased) forgetUser(m, key)
    adoptFollowing(m, key, seen, known)
    adoptUnionid(m, key, seen, known)
  }
  const kept = new Set(seen.events.map(({ user, version, type }) => `${user} ${version} ${type}`))
  m.events = m.events.filter(
    (event) =>
      kept.has(`${event.user} ${event.version} ${event.type}`) || !(event.erased || m.now >= event.at + 90 * DAY),
  )
}

/** The server may delete an expired record at any time. */
function forget(m: State, { memory }: Observed, { unfollowOf, deliveryOf }: Known): void {
  for (const [openid, { until }] of m.unfollows) {
    if (m.now >= until && !memory.unfollows.has(unfollowOf(openid))) m.unfollows.delete(openid)
  }
  for (const [key, { until }] of m.deliveries) {
    if (m.now >= until && !memory.deliveries.has(deliveryOf(key))) m.deliveries.delete(key)
  }
  for (const [jti, until] of m.jtis) if (m.now >= until) m.jtis.delete(jti)
}

/**
 * When the server requests a unionid, WeChat's answer also says whether the user follows the account. The server may
 * therefore learn of a follow before its message arrives.
 */
function adoptFollowing(m: State, key: UserKey, seen: Observed, { follows }: Known): void {
  const { bound, version } = userOf(m, key)
  const found = seen.users.get(key)?.bound
  if (!bound || bound.subscribed || !found?.subscribed || found.openid !== bound.openid) return
  const event = seen.events.find((each) => each.user === key && each.version === version + 1)
  if (!follows(bound.openid) || event?.reason !== 'subscribed') return
  setUser(m, key, { bound: { ...bound, subscribed: true } })
  bump(m, key)
  addEvent(m, key, 'updated', 'subscribed', event.at)
}

/** The unionid arrives some time after the binding. */
function adoptUnionid(m: State, key: UserKey, seen: Observed, { unionidOf }: Known): void {
  const { bound, version } = userOf(m, key)
  const found = seen.users.get(key)?.bound
  if (!bound || bound.unionid !== null || !found?.unionid || found.openid !== bound.openid) return
  if (found.unionid !== unionidOf(bound.openid)) return
  const event = seen.events.find((each) => each.user === key && each.version === version + 1)
  setUser(m, key, { bound: { ...bound, unionid: found.unionid } })
  bump(m, key)
  addEvent(m, key, 'updated', 'unionid', event?.at)
}

/** Describes the first difference between the model and the store. */
export function difference(m: State, seen: Observed, known: Known): string | undefined {
  return (
    differenceOfUsers(m, seen, known) ??
    differenceOfTickets(m, seen) ??
    differ('events', inOrder(m.events), inOrder(seen.events)) ??
    differenceOfMemory(m, seen, known)
  )
}

function differenceOfUsers(m: State, { users, floors }: Observed, { floorOf }: Known): string | undefined {
  for (const key of new Set([...m.users.keys(), ...users.keys()])) {
    const found = users.get(key)
    const user = userOf(m, key)
    const version = found?.version ?? floors.get(floorOf(key)) ?? 0
    const wrong =
      differ(`${key}: version`, user.version, version) ??
      differ(`${key}: reason`, user.reason, found?.reason ?? null) ??
      differ(`${key}: binding`, user.bound, found?.bound ?? null) ??
      differ(`${key}: notice`, user.notice, found?.notice ?? null)
    if (wrong) return wrong
  }
  return undefined
}

function differenceOfTickets(m: State, { tickets }: Observed): string | undefined {
  for (const scene of new Set([...m.tickets.keys(), ...tickets.keys()])) {
    const wrong = differ(`ticket ${scene}`, shape(m.tickets.get(scene)), shape(tickets.get(scene)))
    if (wrong) return wrong
  }
  return undefined
}

const SCOPES: Record<string, string> = { minute: 'qr/minute', hour: 'qr/hour', day: 'qr/day', digits: 'digits/hour' }

function differenceOfMemory(m: State, { memory }: Observed, { unfollowOf, deliveryOf }: Known): string | undefined {
  const { now } = m
  const isLive = (until: number) => until > now
  for (const [name, window] of m.windows) {
    const [unit = '', key = ''] = name.split(' ')
    const found = memory.windows.get(`${SCOPES[unit]}/user/${userOf(m, key).id}`)
    const wrong = isLive(window.until) ? differ(`the limit ${name}`, window, found) : undefined
    if (wrong) return wrong
  }
  for (const [openid, { time }] of m.unfollows) {
    const wrong = differ(`the unfollow of ${openid}`, time, memory.unfollows.get(unfollowOf(openid))?.time)
    if (wrong) return wrong
  }
  const ids = new Set([...m.users.values()].map(({ id }) => id))
  // The rate windows of a deleted user stay in the store until they expire.
  const live = [...memory.windows].filter(
    ([scope, { until }]) => isLive(until) && ids.has(Number(scope.slice(scope.lastIndexOf('/') + 1))),
  ).length
  const wrongCodes = [...m.wrongCodes.values()].flat().filter((at) => at > now - HOUR).length
  return (
    differ('limits', [...m.windows.values()].filter(({ until }) => isLive(until)).length, live) ??
    differ('unfollows', m.unfollows.size, memory.unfollows.size) ??
    differ('deliveries', [...m.deliveries.keys()].map(deliveryOf).sort(), [...memory.deliveries.keys()].sort()) ??
    differ('used requests', m.jtis.size, memory.jtis.filter(isLive).length) ??
    differ('wrong codes', wrongCodes, memory.wrongCodes.filter((at) => at > now - HOUR).length)
  )
}

const shape = (ticket: Omit<Ticket, 'usedBy'> | undefined) =>
  ticket && [ticket.id, ticket.user, ticket.state, ticket.label, ticket.createdAt, ticket.expiresAt, ticket.hold]

/** Returns the events of each user. */
const inOrder = (events: Omit<Event, 'openid'>[]) =>
  [...Map.groupBy(events, ({ user }) => user)]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, ofUser]) => ofUser.map(line))

const line = ({ user, version, type, reason, at }: Pick<Event, 'user' | 'version' | 'type' | 'reason' | 'at'>) =>
  `${user} ${version} ${type} ${reason} ${at}`

export function differ(what: string, expected: unknown, got: unknown): string | undefined {
  const [a, b] = [JSON.stringify(expected), JSON.stringify(got)]
  return a === b ? undefined : `${what}\n    expected ${a}\n    got      ${b}`
}
