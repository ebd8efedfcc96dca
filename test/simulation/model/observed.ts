/** Reads the rows of the store. */
import type { Action, Authorization, Bound, Event, Ticket, User, UserKey } from './state.ts'

type Row = Record<string, string | number | null>

export type ObservedUser = Pick<User, 'id' | 'version' | 'reason' | 'notice' | 'epoch' | 'erased'> & {
  bound: (Omit<Bound, 'heardIn'> & { appId: string }) | null
}
export type ObservedEvent = Omit<Event, 'openid'> & { id: number; uid: string }

export type Observed = {
  users: Map<UserKey, ObservedUser>
  /** The versions of erased users. The keys are the hashes of their ids. */
  floors: Map<string, number>
  tickets: Map<string, Omit<Ticket, 'usedBy'>>
  /** The authorizations. The keys are the hashes of WeChat's parameter `state`. */
  authorizations: Map<string, Authorization>
  /** The sessions. The keys are the hashes of the cookies. */
  sessions: Map<string, { name: string; until: number }>
  signIns: { count: number; until: number } | undefined
  actions: Action[]
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
  users:
    'select id, tenant, account, user_id, version, reason, notice, notice_version, notice_at, ticket_epoch, erased from users',
  bindings: 'select "user", app_id, openid, unionid, subscribed, bound_at, event_time, label from bindings',
  tickets:
    'select id, "user", scene, code, label, created_at, expires_at, state, openid, event_time, confirm, confirm_until, digits, tries_left, reason from tickets order by id',
  authorizations: 'select "user", state, state_hash, created_at, until, openid from authorizations order by id',
  sessions: 'select hash, name, until from console_sessions',
  signIns: "select count, until from rate_windows where scope = 'console/sign_in'",
  actions: 'select at, operator, action, "user", version, subject from console_actions order by id',
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
    authorizations: new Map(),
    sessions: new Map(
      rows.sessions.map((row) => [String(row.hash), { name: String(row.name), until: Number(row.until) }]),
    ),
    signIns: rows.signIns.map((row) => ({ count: Number(row.count), until: Number(row.until) }))[0],
    actions: [],
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
      epoch: Number(row.ticket_epoch),
      erased: Number(row.erased) === 1,
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
  for (const row of rows.authorizations) {
    observed.authorizations.set(String(row.state_hash), {
      user: keys.get(Number(row.user)) ?? '',
      state: row.state as Authorization['state'],
      createdAt: Number(row.created_at),
      until: Number(row.until),
      openid: text(row.openid),
    })
  }
  observed.actions = rows.actions.map((row) => ({
    at: Number(row.at),
    operator: String(row.operator),
    action: String(row.action),
    user: keys.get(Number(row.user)) ?? '',
    version: row.version === null ? null : Number(row.version),
    hasSubject: row.subject !== null,
  }))
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
  appId: String(row.app_id),
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
