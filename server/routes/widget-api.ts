/** The browser API: JSON over a widget token, and the long-poll. The browser never sees an openid and never needs a clock. */
import { type Context, Hono, type MiddlewareHandler } from 'hono'
import { cors } from 'hono/cors'
import { createMiddleware } from 'hono/factory'
import { confirmSchema, parseJson, parseShape, qrcodeSchema, type Scope } from '../api/request-schemas.ts'
import { confirmCode, expireConfirmation } from '../binding/confirmation.ts'
import { toQrPath } from '../binding/qr-path.ts'
import { toLanguage } from '../binding/replies.ts'
import { refuseTestUser } from '../binding/test-users.ts'
import { unbind } from '../binding/unbind.ts'
import { toView } from '../binding/view.ts'
import type { Waiter } from '../binding/waiters.ts'
import type { Deps } from '../deps.ts'
import { BindError } from '../errors.ts'
import { type Answer, commonHeaders, toJson, toResponse } from '../http/answer.ts'
import { bodyLimit } from '../http/body-limit.ts'
import { answerLater, type LateAnswer } from '../http/deferred-response.ts'
import { logFault, toBindError, toProblemAnswer } from '../http/problem.ts'
import { REQUEST_ID } from '../http/request-log.ts'
import type { Principal } from '../keys/token-cache.ts'
import type { Identity, TicketWithQr, User } from '../store/store.ts'
import type { BindingView, TicketView } from '../wire.ts'

type Env = { Variables: { principal: Principal } }

// Proxies give up on an idle answer after 30 s at the earliest.
const MAX_WAIT_MS = 25_000

const MAX_BODY = 4 * 1024

/** Lets the tabs of one browser share one poll, and the element notice that its token has become another user's. */
const USER_NAME = 'Bind-User'

export function widgetApiRoutes(deps: Deps) {
  const { store, tickets, afterCommit, waiters, principalOf, clock, events, log } = deps

  const authenticate = createMiddleware<Env>(async (c, next) => {
    const [, jwe = ''] = /^Bearer (\S+)$/i.exec(c.req.header('Authorization') ?? '') ?? []
    const principal = await principalOf(jwe)
    if (!deps.allowsTestUsers) refuseTestUser(principal.identity.userId)
    c.set('principal', principal)
    c.header(USER_NAME, principal.name)
    await next()
  })

  async function userNow(identity: Identity): Promise<User> {
    return expireConfirmation(store, await store.user(identity), clock())
  }

  /** What a page that knew `known` hears now. */
  async function answerNow(identity: Identity, known: number, requestId: string): Promise<Answer> {
    try {
      const user = await userNow(identity)
      return user.version === known ? notModified(known) : toAnswer(user)
    } catch (thrown) {
      const error = toBindError(thrown)
      logFault(log, requestId, error)
      return toProblemAnswer(error, requestId)
    }
  }

  /** Beside the handler, so that what waits keeps hold of nothing that only the handler needed. */
  function answerWhenEnded(late: LateAnswer, waiter: Waiter, identity: Identity, requestId: string): void {
    const { onHangUp, send } = late
    onHangUp(() => waiters.leave(waiter))
    waiters.onEnd(waiter, (ending) => {
      // Its next poll begins with a look anyway.
      if (ending === 'timeout') send(notModified(waiter.known))
      else void answerNow(identity, waiter.known, requestId).then(send)
    })
  }

  const toAnswer = (user: User): Answer => ({
    status: 200,
    headers: { ETag: etagOf(user.version), 'Content-Type': 'application/json' },
    body: JSON.stringify(toView(user, clock()) satisfies BindingView),
  })

  const answer = (c: Context, user: User): Response => toResponse(c, toAnswer(user))

  return new Hono<Env>()
    .use(onPreflight)
    .use(cors(toCorsOptions(deps.allowedOrigins)))
    .use(bodyLimit(MAX_BODY))
    .use(authenticate)
    .post('/qrcode', async (c) => {
      const { identity, label } = permitted(c.var.principal, 'bind')
      const { refresh: isRefresh } = parseShape(qrcodeSchema, await readJson(c))
      const user = await userNow(identity)
      const view = toView(user, clock())
      if (view.state === 'bound' || (view.state === 'scanned' && !isRefresh)) return answer(c, user)
      const lang = toLanguage(c.req.header('Accept-Language'), events.lang)
      const ticket = await tickets({ identity, isRefresh, label, lang })
      return toJson(c, toTicketView(ticket, await store.user(identity), clock()))
    })
    .get('/binding', async (c) => {
      const { identity } = c.var.principal
      const known = knownVersion(c.req.header('If-None-Match'))
      if (known === undefined) return answer(c, await userNow(identity))
      const waitMs = waitMsOf(c.req.header('Prefer'))
      const requestId = c.get('requestId')
      if (waitMs === 0) return toResponse(c, await answerNow(identity, known, requestId))
      // Parked before the read: what is committed between the two still ends the wait.
      const waiter = waiters.park(identity, known, waitMs)
      const user = await userNow(identity).catch((error) => {
        waiters.leave(waiter)
        throw error
      })
      if (user.version !== known) {
        waiters.leave(waiter)
        return answer(c, user)
      }
      if (user.confirmation) waiters.recheckWithin(waiter, user.confirmation.until - clock())
      const late = answerLater(c)
      answerWhenEnded(late, waiter, identity, requestId)
      return late.response
    })
    .post('/confirm', async (c) => {
      const { identity } = permitted(c.var.principal, 'bind')
      const { code } = parseShape(confirmSchema, await readJson(c))
      const { user, changes } = await confirmCode(store, identity, code, events.rules, clock())
      afterCommit(changes)
      return answer(c, user)
    })
    .delete('/binding', async (c) => {
      const { identity } = permitted(c.var.principal, 'unbind')
      const { user, changes } = await unbind(store, identity, 'widget', clock())
      afterCommit(changes)
      return answer(c, user)
    })
}

/** Hono's cors answers it by itself. */
const onPreflight: MiddlewareHandler = async (c, next) => {
  if (c.req.method === 'OPTIONS')
    for (const [name, value] of Object.entries(commonHeaders(c.get('requestId')))) c.header(name, value)
  await next()
}

function permitted(principal: Principal, scope: Scope): Principal {
  if (principal.scope.includes(scope)) return principal
  throw new BindError('FORBIDDEN', `The widget token's scope does not hold "${scope}": mint one that does.`)
}

/** An empty body is an empty object: nothing in it is required. */
async function readJson(c: Context): Promise<unknown> {
  const text = await c.req.text()
  return text === '' ? {} : parseJson(text)
}

const etagOf = (version: number) => `"${version}"`

const notModified = (known: number): Answer => ({ status: 304, headers: { ETag: etagOf(known) }, body: null })

/** `"17"`, as our own `ETag` said it; anything else is a version that nobody has. */
function knownVersion(ifNoneMatch: string | undefined): number | undefined {
  const [, digits] = /^(?:W\/)?"(\d{1,15})"$/.exec(ifNoneMatch?.trim() ?? '') ?? []
  return digits === undefined ? undefined : Number(digits)
}

/** RFC 7240: `Prefer: wait=25`. Absent or not understood: no wait. */
function waitMsOf(prefer: string | undefined): number {
  const [, seconds = '0'] = /(?:^|[,;]\s*)wait\s*=\s*"?(\d{1,6})"?/i.exec(prefer ?? '') ?? []
  return Math.min(Number(seconds) * 1000, MAX_WAIT_MS)
}

const toTicketView = ({ url, code, expiresAt }: TicketWithQr, { version }: User, now: number): TicketView => ({
  state: 'unbound',
  url,
  qr: toQrPath(url),
  code,
  expiresIn: Math.max(0, Math.floor((expiresAt - now) / 1000)),
  version,
})

function toCorsOptions(origins: string[]): Parameters<typeof cors>[0] {
  return {
    origin: (origin) => (origins.includes(origin) ? origin : undefined),
    allowMethods: ['GET', 'POST', 'DELETE'],
    allowHeaders: ['Authorization', 'Content-Type', 'If-None-Match', 'Prefer'],
    exposeHeaders: ['ETag', 'Retry-After', REQUEST_ID, USER_NAME],
    // Chromium keeps a preflight for two hours at most.
    maxAge: 7200,
  }
}
