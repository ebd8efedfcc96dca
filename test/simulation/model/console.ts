/** The model of the console: sessions, and the actions of operators on users. */
import { bump, closeOpen, unbindUser } from './changes.ts'
import type { Choose } from './explain.ts'
import { type Answer, erase, refusal } from './page.ts'
import { holds, ownersOf, type State, ticketsOf, type UserKey, userOf } from './state.ts'

const MINUTE = 60_000
const SESSION_MS = 12 * 60 * MINUTE
const ATTEMPTS = 5

export type Operator = { name: string; role: 'viewer' | 'operator' }

export function* signIn(m: State, operator: Operator | undefined): Generator<void, Answer> {
  yield
  const window = m.signIns && m.now < m.signIns.until ? m.signIns : { count: 0, until: m.now + MINUTE }
  if (window.count >= ATTEMPTS) return refusal('RATE_LIMITED')
  m.signIns = { ...window, count: window.count + 1 }
  if (!operator) return refusal('UNAUTHORIZED')
  yield
  m.signIns = { ...m.signIns, count: Math.max(0, m.signIns.count - 1) }
  yield
  m.sessions.set(`new ${m.sessions.size}`, { name: operator.name, until: m.now + SESSION_MS })
  yield
  note(m, operator, 'sign_in')
  return { signedIn: operator.role }
}

/**
 * A request of a browser. `isForged` means that the request lacks the token that protects against forged requests
 * (CSRF).
 */
export type ConsoleRequest = { session: string | undefined; operator: Operator; isForged: boolean }

function refuse(m: State, { session, isForged }: ConsoleRequest): Answer | undefined {
  const found = m.sessions.get(session ?? '')
  if (!found || m.now >= found.until) return refusal('UNAUTHORIZED')
  return isForged ? refusal('FORBIDDEN') : undefined
}

export function* signOut(m: State, request: ConsoleRequest): Generator<void, Answer> {
  yield
  const refused = refuse(m, request)
  if (refused) return refused
  yield
  m.sessions.delete(request.session ?? '')
  yield
  note(m, request.operator, 'sign_out')
  return { signedOut: true }
}

export const consoleActions = ['show', 'search', 'unbind', 'erase', 'export', 'reveal'] as const
export type ConsoleAction = (typeof consoleActions)[number]

type Action = { action: ConsoleAction; key: UserKey; openid: string }

export function* act(
  m: State,
  request: ConsoleRequest,
  { action, key, openid }: Action,
  choose: Choose,
): Generator<void, Answer> {
  yield
  const refused = refuse(m, request)
  if (refused) return refused
  if (action === 'search') return yield* search(m, openid)
  if (action === 'show') return yield* show(m, key)
  if (request.operator.role !== 'operator') return refusal('FORBIDDEN')
  const { operator } = request
  if (action === 'unbind') return yield* unbind(m, operator, key)
  if (action === 'erase') return yield* eraseUser(m, operator, key, choose)
  return action === 'export' ? yield* exportUser(m, operator, key) : yield* reveal(m, operator, key)
}

function* search(m: State, openid: string): Generator<void, Answer> {
  yield
  return {
    found: ownersOf(m, openid)
      .map(({ key }) => key)
      .sort(),
  }
}

function* show(m: State, key: UserKey): Generator<void, Answer> {
  yield
  const { isKnown, bound, version } = userOf(m, key)
  if (!isKnown) return refusal('NOT_FOUND')
  const [latest] = holds(ticketsOf(m, key))
  const isScanned = latest !== undefined && m.now < latest.hold.until
  return { state: bound ? 'bound' : isScanned ? 'scanned' : 'unbound', version }
}

function* unbind(m: State, operator: Operator, key: UserKey): Generator<void, Answer> {
  yield
  const { isKnown, bound } = userOf(m, key)
  if (!isKnown) return refusal('NOT_FOUND')
  if (bound) unbindUser(m, key, 'operator')
  else if (closeOpen(m, key) > 0) bump(m, key)
  note(m, operator, 'unbind', key)
  return bound ? yield* show(m, key) : refusal('NOT_BOUND')
}

function* eraseUser(m: State, operator: Operator, key: UserKey, choose: Choose): Generator<void, Answer> {
  const erasing = erase(m, key, choose)
  erasing.next()
  yield
  if (!userOf(m, key).isKnown) return refusal('NOT_FOUND')
  erasing.next()
  note(m, operator, 'erase', null)
  return { erased: true }
}

function* exportUser(m: State, operator: Operator, key: UserKey): Generator<void, Answer> {
  yield
  if (!userOf(m, key).isKnown) return refusal('NOT_FOUND')
  yield
  note(m, operator, 'export', key)
  yield
  return { exported: userOf(m, key).version }
}

function* reveal(m: State, operator: Operator, key: UserKey): Generator<void, Answer> {
  yield
  const { isKnown, bound } = userOf(m, key)
  if (!isKnown) return refusal('NOT_FOUND')
  if (!bound) return refusal('NOT_BOUND')
  note(m, operator, 'reveal', key)
  return { openid: bound.openid, unionid: bound.unionid }
}

/**
 * The server records every action with the name of the operator. If `user` is null, the user was erased, and the record
 * contains a hash of the user's id.
 */
function note(m: State, { name }: Operator, action: string, user?: UserKey | null): void {
  const version = user ? userOf(m, user).version : null
  m.actions.push({ at: m.now, operator: name, action, user: user ?? '', version, hasSubject: user === null })
}
