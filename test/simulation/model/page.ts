/** The model of the requests from pages, back ends and operators, without the requests for a QR code. */

import { bump, closeOpen, endHold, forgetUser, setTicket, setUser, unbindUser } from './changes.ts'
import { confirmHold, expireHolds } from './confirm.ts'
import type { Choose } from './explain.ts'
import { countWrongDigits, isDigitsLimited } from './limits.ts'
import { holds, isOld, type State, ticketsOf, type UserKey, userOf } from './state.ts'

const SECOND = 1000

export type Answer = Record<string, unknown>

export const refusal = (code: string, more: Answer = {}): Answer => ({ code, ...more })

/** Returns the part of a user's state that a page gets. */
export function viewOf(m: State, key: UserKey): Answer {
  const { version, bound, reason, notice } = userOf(m, key)
  const [latest] = holds(ticketsOf(m, key))
  const isShown = notice?.version === version && m.now < notice.at + 60 * SECOND
  const more = { version, ...(isShown ? { notice: notice.name } : {}) }
  if (latest && m.now < latest.hold.until) return { state: 'scanned', confirm: latest.hold.kind, ...more }
  if (bound) {
    // With one tap, a bound user may not follow the account yet. The page then asks the user to follow the account.
    const follow = m.settings.hasOauth && !bound.subscribed ? { subscribed: false } : {}
    return { state: 'bound', boundAt: Math.floor(bound.boundAt / SECOND), ...follow, ...more }
  }
  return { state: 'unbound', ...(reason === null ? {} : { reason }), ...more }
}

/**
 * Returns what a page may be told that has waited in this step. An erasure removes the notice and the reason, and
 * increases the version only if it ends a binding or closes a QR code. So the page may have read its answer before the
 * erasure.
 */
export const viewsOf = (m: State, key: UserKey): Answer[] => [
  viewOf(m, key),
  ...m.beforeErasure.filter(({ user }) => user === key).map(({ view }) => view),
]

export function bindInfoOf(m: State, key: UserKey): Answer {
  const { bound, version } = userOf(m, key)
  return {
    IsBound: bound !== null,
    OpenId: bound?.openid ?? null,
    UnionId: bound?.unionid ?? null,
    AppId: bound && isOld(bound.openid) ? 'old' : 'new',
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

/** The page sends digits. `isRight` means that they are the digits in the chat. */
export function* digits(m: State, key: UserKey, sent: string): Generator<void, Answer> {
  yield
  const asked = holds(ticketsOf(m, key)).filter(({ hold }) => hold.kind === 'code' && m.now < hold.until)
  if (asked.length === 0) return refusal('NOT_SCANNED')
  if (isDigitsLimited(m, key)) return refusal('RATE_LIMITED')
  const right = asked.find(({ hold }) => hold.digits === sent)
  if (right) return confirmHold(m, right) ? viewOf(m, key) : refusal('CONFLICT')
  countWrongDigits(m, key)
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
  m.beforeErasure = [...m.beforeErasure, { user: key, view: viewOf(m, key) }]
  if (user.bound) unbindUser(m, key, 'erased')
  else if (closeOpen(m, key) > 0) bump(m, key)
  for (const { scene } of ticketsOf(m, key)) m.tickets.delete(scene)
  for (const [hash, { user }] of m.authorizations) if (user === key) m.authorizations.delete(hash)
  m.actions = m.actions.filter(({ user }) => user !== key)
  m.events = m.events.map((event) => (event.user === key ? { ...event, erased: true } : event))
  for (const [id, delivery] of m.deliveries) {
    if (delivery.user === key) m.deliveries.set(id, { ...delivery, reply: null, user: null })
  }
  setUser(m, key, { erased: true })
  // If all events of the user have been delivered, the erasure is complete.
  if (choose(2) === 1) forgetUser(m, key)
  return { Erased: true }
}
