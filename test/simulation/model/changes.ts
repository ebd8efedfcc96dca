/** The changes of the model's state. All records are immutable. */
import {
  type Bound,
  type Event,
  isOpen,
  type State,
  type Ticket,
  ticketsOf,
  type User,
  type UserKey,
  userOf,
} from './state.ts'

export function setUser(m: State, key: UserKey, change: Partial<User>): void {
  m.users.set(key, { ...userOf(m, key), ...change })
}

export function setTicket(m: State, { scene }: Ticket, change: Partial<Ticket>): void {
  const ticket = m.tickets.get(scene)
  if (ticket) m.tickets.set(scene, { ...ticket, ...change })
}

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

/** Closes an authorization. It can then bind nobody. */
export function closeAuthorization(m: State, hash: string): void {
  const authorization = m.authorizations.get(hash)
  if (authorization) m.authorizations.set(hash, { ...authorization, state: 'closed', openid: null })
}

/**
 * Closes the tickets of a user that could still bind, and returns their number. Without `except`, also closes the
 * user's authorizations.
 */
export function closeOpen(m: State, key: UserKey, except?: Ticket): number {
  const open = ticketsOf(m, key).filter((ticket) => isOpen(ticket) && ticket.scene !== except?.scene)
  for (const ticket of open) setTicket(m, ticket, { state: 'replaced', hold: null })
  if (!except) {
    setUser(m, key, { epoch: userOf(m, key).epoch + 1 })
    for (const [hash, { user }] of m.authorizations) if (user === key) closeAuthorization(m, hash)
  }
  return open.length
}

export function unbindUser(m: State, key: UserKey, reason: string): void {
  closeOpen(m, key)
  setUser(m, key, { bound: null, reason })
  bump(m, key)
  addEvent(m, key, 'unbound', reason)
}

export function bindUser(m: State, key: UserKey, bound: Omit<Bound, 'heardIn'>, reason: string): void {
  setUser(m, key, { bound: { ...bound, heardIn: m.step }, reason: null })
  bump(m, key)
  addEvent(m, key, 'bound', reason)
}

/** Records a follow or an unfollow in a binding. */
export function setSubscribed(m: State, key: UserKey, subscribed: boolean, time: number): void {
  const { bound } = userOf(m, key)
  if (!bound) return
  setUser(m, key, { bound: { ...bound, subscribed, time, heardIn: m.step } })
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
  m.actions = m.actions.map((action) => (action.user === key ? { ...action, user: '' } : action))
  for (const scope of m.windows.keys()) if (scope.endsWith(` ${key}`)) m.windows.delete(scope)
}

/** Adds the user to the store if the store does not contain the user yet. */
export function know(m: State, key: UserKey): void {
  setUser(m, key, { isKnown: true, erased: false })
}
