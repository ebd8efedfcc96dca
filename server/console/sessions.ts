/**
 * The sessions of the console. The cookie is a random value; the store keeps its hash, the operator's name and a hash of the
 * operator's secret. So a session works at every instance and after a restart, and it ends at every instance: after 12 hours, by
 * signing out, and when the operator's token is changed or removed. The role is read from the settings with each request and is
 * neither in the cookie nor in the store. The CSRF token is a keyed hash of the cookie, so nothing else is kept for it.
 */
import { equalInConstantTime, takeRandom } from '../crypto.ts'
import type { Deps } from '../deps.ts'
import { BindError } from '../errors.ts'
import type { Operator } from '../keys/operators.ts'
import type { Role, SessionView } from './wire.ts'

export type Session = { cookie: string; name: string; role: Role; expiresAt: number }

export type Sessions = {
  /** Throws `UNAUTHORIZED` for a wrong token, and `RATE_LIMITED` after five wrong ones within a minute. */
  signIn(token: string): Promise<Session>
  /** Undefined if no cookie belongs to a session that still works. */
  find(cookies: string[]): Promise<Session | undefined>
  signOut(session: Session): Promise<void>
  view(session: Session): SessionView
  /** Throws `FORBIDDEN` unless this is the token of the session. */
  expectCsrf(session: Session, token: string | undefined): void
}

const SESSION_MS = 12 * 60 * 60_000

const WRONG_TOKENS = 5
const WRONG_TOKENS_MS = 60_000

/** One window counts the attempts at all instances and from all addresses. */
const SCOPE = 'console/sign_in'

const COOKIE = /^[\w-]{43}$/

export function createSessions({ store, clock, log, console: { operators, hashOf } }: Deps): Sessions {
  const hashOfCookie = (cookie: string) => hashOf('console session', cookie)
  const hashOfToken = ({ name, secret }: Operator) => hashOf('console token', name, secret)
  const csrfOf = (cookie: string) => hashOf('console csrf', cookie)

  let lockedUntil = 0
  let lastSignIn: Promise<unknown> = Promise.resolve()

  /**
   * Counts the attempt before the token is compared, so that attempts at the same time cannot exceed the limit. After the limit this
   * instance refuses further attempts without asking the store, so that a flood of guesses costs the store nothing.
   */
  async function countAttempt(): Promise<void> {
    const now = clock()
    if (now < lockedUntil && lockedUntil <= now + WRONG_TOKENS_MS) throw locked(lockedUntil - now)
    if (await store.countAttempt(SCOPE, WRONG_TOKENS, now + WRONG_TOKENS_MS, now)) return
    lockedUntil = (await store.console.attemptsUntil(SCOPE, now)) ?? now
    throw locked(lockedUntil - now)
  }

  async function findOne(cookie: string): Promise<Session | undefined> {
    if (!COOKIE.test(cookie)) return undefined
    const hash = hashOfCookie(cookie)
    const stored = await store.console.session(hash, clock())
    if (!stored) return undefined
    const operator = operators.byName(stored.name)
    if (operator && hashOfToken(operator) === stored.tokenHash) {
      return { cookie, name: operator.name, role: operator.role, expiresAt: stored.until }
    }
    // The token was changed or removed. Deletes the session, so that it stays invalid if the token is restored later.
    await store.console.endSession(hash)
    return undefined
  }

  async function signIn(token: string): Promise<Session> {
    await countAttempt()
    const operator = operators.find(token)
    if (!operator) {
      log.warn({}, 'a sign-in to the console was refused: wrong token')
      throw new BindError('UNAUTHORIZED', 'This token is not in CONSOLE_TOKENS: check it, and sign in again.')
    }
    const now = clock()
    const { name, role } = operator
    const cookie = takeRandom(32).toString('base64url')
    const expiresAt = now + SESSION_MS
    await store.console.refundAttempt(SCOPE)
    await store.console.addSession({
      hash: hashOfCookie(cookie),
      name,
      tokenHash: hashOfToken(operator),
      until: expiresAt,
    })
    await store.console.record({ at: now, operator: name, action: 'sign_in', subject: null })
    log.info({ operator: name, role, action: 'sign_in' }, ACTION_LINE)
    return { cookie, name, role, expiresAt }
  }

  return {
    /**
     * Attempts run one at a time. So only the first few of many simultaneous guesses reach the store, and no correct token is
     * counted as wrong.
     */
    signIn(token) {
      const signedIn = lastSignIn.catch(() => {}).then(() => signIn(token))
      lastSignIn = signedIn
      return signedIn
    },
    async find(cookies) {
      for (const cookie of cookies) {
        const session = await findOne(cookie)
        if (session) return session
      }
      return undefined
    },
    async signOut({ cookie, name }) {
      await store.console.endSession(hashOfCookie(cookie))
      await store.console.record({ at: clock(), operator: name, action: 'sign_out', subject: null })
      log.info({ operator: name, action: 'sign_out' }, ACTION_LINE)
    },
    view: ({ cookie, name, role, expiresAt }) => ({ name, role, expiresAt, csrf: csrfOf(cookie) }),
    expectCsrf({ cookie }, token) {
      if (token !== undefined && equalInConstantTime(token, csrfOf(cookie))) return
      throw new BindError(
        'FORBIDDEN',
        'The header X-Console-CSRF is missing or belongs to another session: load the page again.',
      )
    },
  }
}

function locked(ms: number): BindError {
  const retryAfterSeconds = Math.max(1, Math.ceil(ms / 1000))
  return new BindError('RATE_LIMITED', `Too many wrong tokens: try again in ${retryAfterSeconds} s.`, {
    retryAfterSeconds,
  })
}

/** The message of every log line about an action, so that one filter finds all these lines. */
export const ACTION_LINE = 'an action in the console'
