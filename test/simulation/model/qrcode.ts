/** The model of requests for a QR code. */

import { bump, closeOpen, know, setTicket } from './changes.ts'
import { expireHolds } from './confirm.ts'
import type { Choose } from './explain.ts'
import { countAttempt, isLimited } from './limits.ts'
import { type Answer, refusal, viewOf } from './page.ts'
import { type Made, type State, type Ticket, ticketsOf, type UserKey, userOf } from './state.ts'

const SECOND = 1000
export const TICKET_TTL = 120 * SECOND

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
  if (made && choose(2) === 1) return { answer: yield* answerWith(m, request, made, choose) }
  const asking = m.asking.get(`${key} ${isRefresh}`)
  if (asking && choose(2) === 1) return { asked: { ...asking, request, isJoined: true } }
  return yield* issue(m, request, choose)
}

function* issue(m: State, request: QrRequest, choose: Choose): Generator<void, Started> {
  const { key, isRefresh } = request
  const live = liveTicket(m, key)
  if (live && !isRefresh && isReusable(live, m.now))
    return { answer: yield* end(m, request, { scene: live.scene }, choose) }
  yield
  const isFailing = request.mayFail && choose(2) === 1
  if (isFailing && choose(2) === 1)
    return { answer: yield* end(m, request, instead(m, request, live, 'STORE'), choose) }
  know(m, key)
  if (isLimited(m, key, 'qr'))
    return { answer: yield* end(m, request, instead(m, request, live, 'RATE_LIMITED'), choose) }
  countAttempt(m, key, 'qr')
  if (isFailing) return { answer: yield* end(m, request, instead(m, request, live, 'STORE'), choose) }
  const { epoch, life } = userOf(m, key)
  const asked = { request, live, epoch, life }
  m.asking.set(`${key} ${isRefresh}`, asked)
  return { asked }
}

/**
 * The second part of a request for a QR code, after WeChat's answer. It takes a QR code first, and chooses the scene only
 * when the ticket is stored: a QR code that is taken and lost may have any scene that no ticket gets.
 */
export function* finishQr(m: State, asked: Asked, choose: Choose): Generator<void, Answer> {
  const { request, live } = asked
  const { key, isRefresh } = request
  yield
  if (asked.isJoined) return yield* join(m, request, choose)
  // If the server requests QR codes in advance, WeChat may have refused this request although other QR codes are left.
  const isRefused = m.settings.ready > 0 && choose(2) === 1
  if (isRefused || m.taken === m.offered.length)
    return yield* end(m, request, instead(m, request, live, 'WECHAT'), choose)
  m.taken++
  yield
  const isFailing = request.mayFail && choose(2) === 1
  if (isFailing && choose(2) === 1) {
    loseQr(m)
    return yield* end(m, request, instead(m, request, live, 'STORE'), choose)
  }
  const user = userOf(m, key)
  // All tickets of the user were closed after the request to WeChat, so this QR code would bind nobody.
  const isUnsure = user.epoch !== asked.epoch && user.epoch === asked.latestEpoch
  if (user.life !== asked.life || (user.epoch !== asked.epoch && !(isUnsure && choose(2) === 1))) {
    loseQr(m)
    yield
    const again = yield* issue(m, request, choose)
    return 'answer' in again ? again.answer : yield* finishQr(m, again.asked, choose)
  }
  const ticket = addTicket(m, request, chooseScene(m, choose))
  if (isRefresh) {
    const isScanned = ticketsOf(m, key).some(({ state }) => state === 'scanned')
    closeOpen(m, key, ticket)
    if (isScanned) bump(m, key)
  }
  const first = isRefresh ? undefined : firstOther(m, ticket, live)
  if (first) setTicket(m, ticket, { state: 'replaced' })
  if (isFailing) return yield* end(m, request, instead(m, request, live, 'STORE'), choose)
  return yield* end(m, request, { scene: (first ?? ticket).scene }, choose)
}

/** The scene of a QR code that was taken before. */
function chooseScene(m: State, choose: Choose): string {
  m.taken--
  return m.offered.splice(choose(m.offered.length), 1)[0]!
}

/**
 * No ticket gets the QR code that was taken. If the server requests QR codes in advance, `offered` has the QR codes that
 * tickets get, and need not have the lost one.
 */
function loseQr(m: State): void {
  if (m.settings.ready > 0) m.taken--
}

/** Waits for the result of the equal request, which may end later in this step. */
function* join(m: State, request: QrRequest, choose: Choose): Generator<void, Answer> {
  for (let turns = 0; turns < 8; turns++) {
    const made = m.made.get(`${request.key} ${request.isRefresh}`)
    if (made) return yield* answerWith(m, request, made, choose)
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

function* end(m: State, request: QrRequest, made: Made, choose: Choose): Generator<void, Answer> {
  m.made.set(`${request.key} ${request.isRefresh}`, made)
  return yield* answerWith(m, request, made, choose)
}

function* answerWith(m: State, { key, label, isPage }: QrRequest, made: Made, choose: Choose): Generator<void, Answer> {
  if ('code' in made) return refusal(made.code)
  yield
  const { scene } = made
  const ticket = m.tickets.get(scene)
  if (ticket?.state === 'pending' && label !== null) setTicket(m, ticket, { label })
  if (!isPage) return { scene }
  yield
  m.learn(m, choose)
  const { state, version, notice } = viewOf(m, key)
  // Returns the new state if the user was bound, or a QR code was scanned, in the meantime.
  if (state !== 'unbound') return viewOf(m, key)
  return { state, scene, version, ...(notice === undefined ? {} : { notice }) }
}
