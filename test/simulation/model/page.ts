/** The model of the calls of pages, back ends and operators, except requests for a QR code. */

import { bump, closeOpen, endHold, forgetUser, setTicket, setUser, unbindUser } from './changes.ts'
import { confirmHold, expireHolds } from './confirm.ts'
import type { Choose } from './explain.ts'
import { count } from './limits.ts'
import { holds, type State, ticketsOf, type UserKey, userOf } from './state.ts'

const SECOND = 1000
const HOUR = 3600 * SECOND
const WRONG_DIGITS_AN_HOUR = 9

export type Answer = Record<string, unknown>

export const refusal = (code: string, more: Answer = {}): Answer => ({ code, ...more })

/** The part of a user's state that the page shows. */
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

/** The page sends digits. `isRight`: those of the chat. */
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

/** Ends the binding, if there is one, and every ticket of the user. */
export function* unbind(m: State, key: UserKey, reason: string): Generator<void, Answer> {
  yield
  const { bound } = userOf(m, key)
  if (bound) unbindUser(m, key, reason)
  else if (userOf(m, key).isKnown && closeOpen(m, key) > 0) bump(m, key)
  if (reason === 'widget') return viewOf(m, key)
  return bound || reason === 'operator' ? { Version: userOf(m, key).version } : refusal('NOT_BOUND')
}

/** Ends the binding and then deletes all data of the user except the version, because later versions must be greater. */
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
  // Without an undelivered event, the erasure is complete.
  if (choose(2) === 1) forgetUser(m, key)
  return { Erased: true }
}
