/** The model of the requests from pages, back ends and operators. */
import { confirmHold, expireHolds } from './chat.ts'
import type { Choose } from './explain.ts'
import {
  bindUser,
  bump,
  closeOpen,
  endHold,
  forgetUser,
  holds,
  isOpen,
  type Made,
  ownersOf,
  type State,
  setTicket,
  setUser,
  type Ticket,
  tenantOf,
  ticketsOf,
  type UserKey,
  unbindUser,
  userOf,
} from './state.ts'

const SECOND = 1000
const HOUR = 3600 * SECOND
export const TICKET_TTL = 120 * SECOND
const WRONG_DIGITS_AN_HOUR = 9

/** The limits in the simulation. They are so low that stories reach them. */
export const QR_LIMITS = { minute: 4, hour: 12, day: 40 }
const WINDOWS = { minute: 60 * SECOND, hour: HOUR, day: 24 * HOUR }

export type Answer = Record<string, unknown>

const refusal = (code: string, more: Answer = {}): Answer => ({ code, ...more })

/** Returns the part of a user's state that a page gets. */
export function viewOf(m: State, key: UserKey): Answer {
  const { version, bound, reason, notice } = userOf(m, key)
  const [latest] = holds(ticketsOf(m, key))
  const isShown = notice?.version === version && m.now < notice.at + 60 * SECOND
  const more = { version, ...(isShown ? { notice: notice.name } : {}) }
  if (latest && m.now < latest.hold.until) return { state: 'scanned', confirm: latest.hold.kind, ...more }
  if (bound) return { state: 'bound', boundAt: Math.floor(bound.boundAt / SECOND), ...more }
  return { state: 'unbound', ...(reason === null ? {} : { reason }), ...more }
}

export function bindInfoOf(m: State, key: UserKey): Answer {
  const { bound, version } = userOf(m, key)
  return {
    IsBound: bound !== null,
    OpenId: bound?.openid ?? null,
    UnionId: bound?.unionid ?? null,
    IsSubscribed: bound?.subscribed ?? false,
    BoundAt: bound ? Math.floor(bound.boundAt / SECOND) : null,
    Version: version,
  }
}

export function* look(m: State, key: UserKey): Generator<void, Answer> {
  yield
  expireHolds(m, key)
  return viewOf(m, key)
}

export type QrRequest = {
  key: UserKey
  isRefresh: boolean
  label: string | null
  isPage: boolean
  /** The store may fail during the request. The page then gets the user's valid QR code if the user has one. */
  mayFail?: boolean
}

/** A request that waits for WeChat. */
export type Asked = {
  request: QrRequest
  live: Ticket | undefined
  epoch: number
  life: number
  /** The epoch at the end of the step in which the server sent the request to WeChat. */
  latestEpoch?: number
  /**
   * The server has already sent the same request to WeChat for another request of the user. Both requests get the same
   * result.
   */
  isJoined?: boolean
}

type Started = { answer: Answer } | { asked: Asked }

/**
 * The first part of a request for a QR code. It ends with the request to WeChat, or with an answer if no request to
 * WeChat is necessary.
 */
export function* startQr(m: State, request: QrRequest, choose: Choose): Generator<void, Started> {
  const { key, isRefresh, isPage } = request
  if (isPage) {
    yield
    expireHolds(m, key)
    const view = viewOf(m, key)
    if (view.state === 'bound' || (view.state === 'scanned' && !isRefresh)) return { answer: view }
  }
  yield
  // If an equal request is running, this request may get the same result.
  const made = m.made.get(`${key} ${isRefresh}`)
  if (made && choose(2) === 1) return { answer: yield* answerWith(m, request, made) }
  const asking = m.asking.get(`${key} ${isRefresh}`)
  if (asking && choose(2) === 1) return { asked: { ...asking, request, isJoined: true } }
  return yield* issue(m, request, choose)
}

function* issue(m: State, request: QrRequest, choose: Choose): Generator<void, Started> {
  const { key, isRefresh } = request
  const live = liveTicket(m, key)
  if (live && !isRefresh && isReusable(live, m.now)) return { answer: yield* end(m, request, { scene: live.scene }) }
  yield
  const isFailing = request.mayFail && choose(2) === 1
  if (isFailing && choose(2) === 1) return { answer: yield* end(m, request, instead(m, request, live, 'STORE')) }
  know(m, key)
  if (isLimited(m, key)) return { answer: yield* end(m, request, instead(m, request, live, 'RATE_LIMITED')) }
  for (const unit of ['minute', 'hour', 'day'] as const) count(m, `${unit} ${key}`, WINDOWS[unit])
  if (isFailing) return { answer: yield* end(m, request, instead(m, request, live, 'STORE')) }
  const { epoch, life } = userOf(m, key)
  const asked = { request, live, epoch, life }
  m.asking.set(`${key} ${isRefresh}`, asked)
  return { asked }
}

/**
 * The second part of a request for a QR code, after WeChat's answer. `offered` contains the scene if WeChat has created
 * a QR code.
 */
export function* finishQr(m: State, asked: Asked, choose: Choose): Generator<void, Answer> {
  const { request, live } = asked
  const { key, isRefresh } = request
  yield
  if (asked.isJoined) return yield* join(m, request)
  const [scene] = m.offered.splice(choose(m.offered.length), 1)
  if (scene === undefined) return yield* end(m, request, instead(m, request, live, 'WECHAT'))
  yield
  const isFailing = request.mayFail && choose(2) === 1
  if (isFailing && choose(2) === 1) return yield* end(m, request, instead(m, request, live, 'STORE'))
  const user = userOf(m, key)
  // All tickets of the user were closed after the request to WeChat, so this QR code would bind nobody.
  const isUnsure = user.epoch !== asked.epoch && user.epoch === asked.latestEpoch
  if (user.life !== asked.life || (user.epoch !== asked.epoch && !(isUnsure && choose(2) === 1))) {
    yield
    const again = yield* issue(m, request, choose)
    return 'answer' in again ? again.answer : yield* finishQr(m, again.asked, choose)
  }
  const ticket = addTicket(m, request, scene)
  if (isRefresh) {
    const isScanned = ticketsOf(m, key).some(({ state }) => state === 'scanned')
    closeOpen(m, key, ticket)
    if (isScanned) bump(m, key)
  }
  const first = isRefresh ? undefined : firstOther(m, ticket, live)
  if (first) setTicket(m, ticket, { state: 'replaced' })
  if (isFailing) return yield* end(m, request, instead(m, request, live, 'STORE'))
  return yield* end(m, request, { scene: (first ?? ticket).scene })
}

/** Waits for the result of the equal request, which may end later in this step. */
function* join(m: State, request: QrRequest): Generator<void, Answer> {
  for (let turns = 0; turns < 8; turns++) {
    const made = m.made.get(`${request.key} ${request.isRefresh}`)
    if (made) return yield* answerWith(m, request, made)
    yield
  }
  return refusal('the equal request has ended without a result')
}

function addTicket(m: State, { key, label }: QrRequest, scene: string): Ticket {
  know(m, key)
  const times = { createdAt: m.now, expiresAt: m.now + TICKET_TTL }
  const ticket: Ticket = {
    id: 0,
    scene,
    code: '',
    user: key,
    label,
    ...times,
    state: 'pending',
    usedBy: null,
    hold: null,
  }
  m.tickets.set(scene, ticket)
  return ticket
}

/**
 * Returns the ticket that another instance has created in the meantime. All pages of a user must display the same QR
 * code.
 */
const firstOther = (m: State, ours: Ticket, live: Ticket | undefined): Ticket | undefined =>
  ticketsOf(m, ours.user).find(
    (ticket) =>
      ticket.scene !== ours.scene &&
      ticket.state === 'pending' &&
      ticket.expiresAt > m.now &&
      ticket.scene !== live?.scene &&
      ticket.createdAt >= (live?.createdAt ?? 0) &&
      [...m.tickets.keys()].indexOf(ticket.scene) > (live ? [...m.tickets.keys()].indexOf(live.scene) : -1),
  )

const liveTicket = (m: State, key: UserKey): Ticket | undefined =>
  ticketsOf(m, key)
    .filter(({ state, expiresAt }) => state === 'pending' && expiresAt > m.now)
    .sort((a, b) => b.createdAt - a.createdAt)[0]

const isShowable = ({ expiresAt }: Ticket, now: number) => expiresAt - now >= SECOND

const isReusable = (ticket: Ticket, now: number) =>
  isShowable(ticket, now) && (ticket.expiresAt - now) * 6 > ticket.expiresAt - ticket.createdAt

/**
 * Instead of an error, the page gets the user's valid QR code. A refresh gets the error, because a refresh must replace
 * the QR code.
 */
function instead(m: State, { isRefresh }: QrRequest, live: Ticket | undefined, code: string): Made {
  const present = live && m.tickets.get(live.scene)
  return present?.state === 'pending' && !isRefresh && isShowable(present, m.now) ? { scene: present.scene } : { code }
}

function* end(m: State, request: QrRequest, made: Made): Generator<void, Answer> {
  m.made.set(`${request.key} ${request.isRefresh}`, made)
  return yield* answerWith(m, request, made)
}

function* answerWith(m: State, { key, label, isPage }: QrRequest, made: Made): Generator<void, Answer> {
  if ('code' in made) return refusal(made.code)
  yield
  const { scene } = made
  const ticket = m.tickets.get(scene)
  if (ticket?.state === 'pending' && label !== null) setTicket(m, ticket, { label })
  if (!isPage) return { scene }
  yield
  const { version } = userOf(m, key)
  const { notice } = viewOf(m, key)
  return { state: 'unbound', scene, version, ...(notice === undefined ? {} : { notice }) }
}

/** Adds the user to the store if the store does not contain the user yet. */
function know(m: State, key: UserKey): void {
  setUser(m, key, { isKnown: true, erased: false })
}

function isLimited(m: State, key: UserKey): boolean {
  const isOver = (scope: string, most: number) => {
    const window = m.windows.get(scope)
    return window !== undefined && m.now < window.until && window.count >= most
  }
  return (
    isOver(`digits ${key}`, WRONG_DIGITS_AN_HOUR) ||
    (['minute', 'hour', 'day'] as const).some((unit) => isOver(`${unit} ${key}`, QR_LIMITS[unit]))
  )
}

function count(m: State, scope: string, ms: number): void {
  const window = m.windows.get(scope)
  const isOpenWindow = window !== undefined && m.now < window.until
  m.windows.set(scope, isOpenWindow ? { ...window, count: window.count + 1 } : { count: 1, until: m.now + ms })
}

/** The page sends digits. `isRight` means that they are the digits in the chat. */
export function* digits(m: State, key: UserKey, sent: string): Generator<void, Answer> {
  yield
  const asked = holds(ticketsOf(m, key)).filter(({ hold }) => hold.kind === 'code' && m.now < hold.until)
  if (asked.length === 0) return refusal('NOT_SCANNED')
  const window = m.windows.get(`digits ${key}`)
  if (window && m.now < window.until && window.count >= WRONG_DIGITS_AN_HOUR) return refusal('RATE_LIMITED')
  const right = asked.find(({ hold }) => hold.digits === sent)
  if (right) return confirmHold(m, right) ? viewOf(m, key) : refusal('CONFLICT')
  count(m, `digits ${key}`, HOUR)
  for (const held of asked) {
    const tries = held.hold.tries - 1
    if (tries > 0) setTicket(m, held, { hold: { ...held.hold, tries } })
    else endHold(m, held, 'dead')
  }
  return refusal('WRONG_CODE', { triesLeft: Math.max(...asked.map(({ hold }) => hold.tries)) - 1 })
}

/** Ends the user's binding, if there is one, and closes all tickets of the user. */
export function* unbind(m: State, key: UserKey, reason: string): Generator<void, Answer> {
  yield
  const { bound } = userOf(m, key)
  if (bound) unbindUser(m, key, reason)
  else if (userOf(m, key).isKnown && closeOpen(m, key) > 0) bump(m, key)
  if (reason === 'widget') return viewOf(m, key)
  return bound || reason === 'operator' ? { Version: userOf(m, key).version } : refusal('NOT_BOUND')
}

/**
 * Ends the binding and then deletes all data of the user except the version. The version is kept because later versions
 * must be greater.
 */
export function* erase(m: State, key: UserKey, choose: Choose): Generator<void, Answer> {
  yield
  const user = userOf(m, key)
  if (!user.isKnown) return { Erased: true }
  if (user.bound) unbindUser(m, key, 'erased')
  else if (closeOpen(m, key) > 0) bump(m, key)
  for (const { scene } of ticketsOf(m, key)) m.tickets.delete(scene)
  m.events = m.events.map((event) => (event.user === key ? { ...event, erased: true } : event))
  for (const [id, delivery] of m.deliveries) {
    if (delivery.user === key) m.deliveries.set(id, { ...delivery, reply: null, user: null })
  }
  setUser(m, key, { erased: true })
  // If all events of the user have been delivered, the erasure is complete.
  if (choose(2) === 1) forgetUser(m, key)
  return { Erased: true }
}

export type ImportLine = { key: UserKey; openid: string; label: string | null }

/** Imports all lines of a batch in order, in one transaction. */
export function* importLines(
  m: State,
  lines: ImportLine[],
  conflict: 'reject' | 'skip' | 'replace' | 'allow',
): Generator<void, Answer> {
  yield
  const outcomes = lines.map((line) => importLine(m, line, conflict))
  return { outcomes }
}

function importLine(m: State, { key, openid, label }: ImportLine, conflict: string): string {
  const { bound, isKnown } = userOf(m, key)
  if (bound?.openid === openid) return 'already'
  const owners = ownersOf(m, openid).filter((owner) => owner.key !== key && tenantOf(owner.key) === tenantOf(key))
  const others = conflict === 'allow' ? [] : owners
  if (conflict !== 'replace' && bound) return 'user-bound'
  if (conflict !== 'replace' && others.length > 0) return 'openid-taken'
  for (const other of others) unbindUser(m, other.key, 'replaced')
  if (bound) unbindUser(m, key, 'replaced')
  if (isKnown) closeOpen(m, key)
  know(m, key)
  const time = Math.floor(m.now / SECOND)
  bindUser(m, key, { openid, unionid: null, subscribed: true, boundAt: m.now, time, label }, 'import')
  return bound || others.length > 0 ? 'replaced' : 'bound'
}

/**
 * Returns the tickets that can be scanned. A user has at most one such ticket, and possibly older tickets that expire
 * soon.
 */
export const openTickets = (m: State) => [...m.tickets.values()].filter(isOpen)
