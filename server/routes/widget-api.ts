/** The browser API: JSON over a widget token, and the long-poll. The browser never sees an openid and never needs a clock. */
import { type Context, Hono } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { cors } from 'hono/cors'
import { createMiddleware } from 'hono/factory'
import { confirmCode, expireHold } from '../binding/hold.ts'
import { toLanguage } from '../binding/replies.ts'
import { unbind } from '../binding/unbind.ts'
import { toView } from '../binding/view.ts'
import type { Deps } from '../deps.ts'
import { BindError } from '../errors.ts'
import type { BindKey } from '../keyring.ts'
import { toQrPath } from '../qr.ts'
import { confirmSchema, parseJson, parseShape, qrcodeSchema, type Scope } from '../schema.ts'
import type { Identity, Ticket, User } from '../store/store.ts'
import { refuseTestUser } from '../test-users.ts'
import { openToken } from '../token.ts'
import type { BindingView, TicketView } from '../wire.ts'

type Visitor = { identity: Identity; label: string | null; scope: Scope[] }
type Env = { Variables: { visitor: Visitor } }

// Proxies give up on an idle answer after 30 s at the earliest.
const MAX_WAIT_MS = 25_000

const MAX_BODY = 4 * 1024

export function widgetApiRoutes(deps: Deps) {
  const { store, tickets, afterCommit, waiters, keyring, clock, events } = deps

  const authenticate = createMiddleware<Env>(async (c, next) => {
    const [, jwe = ''] = /^Bearer (\S+)$/i.exec(c.req.header('Authorization') ?? '') ?? []
    const claims = await openToken<BindKey>(jwe, keyring.find, clock())
    const identity = { tenant: claims.key.tenant, account: claims.Account, userId: claims.User_ID }
    if (!deps.allowsTestUsers) refuseTestUser(claims.User_ID)
    c.set('visitor', { identity, label: claims.Label ?? null, scope: claims.scope })
    await next()
  })

  async function userNow(identity: Identity): Promise<User> {
    return expireHold(store, await store.user(identity), clock())
  }

  /** The user once its version is past `known`, or as it is when the wait ends. */
  async function userPast(known: number, identity: Identity, waitMs: number, signal: AbortSignal): Promise<User> {
    if (waitMs === 0) return userNow(identity)
    // Parked before the read: what is committed between the two still ends the wait.
    const waiter = waiters.park(identity, known, waitMs, signal)
    const user = await userNow(identity).catch((error) => {
      waiter.end()
      throw error
    })
    if (user.version !== known) waiter.end()
    else if (user.hold) waiter.endWithin(user.hold.until - clock())
    await waiter.ended
    return user.version === known ? userNow(identity) : user
  }

  function answer(c: Context, user: User): Response {
    c.header('ETag', `"${user.version}"`)
    return c.json(toView(user, clock()) satisfies BindingView)
  }

  return new Hono<Env>()
    .use(cors(toCorsOptions(deps.allowedOrigins)))
    .use(bodyLimit({ maxSize: MAX_BODY }))
    .use(async (c, next) => {
      c.header('Cache-Control', 'no-store')
      await next()
    })
    .use(authenticate)
    .post('/qrcode', async (c) => {
      const { identity, label } = permitted(c.var.visitor, 'bind')
      const { refresh: isRefresh } = parseShape(qrcodeSchema, await readJson(c))
      const user = await userNow(identity)
      const view = toView(user, clock())
      if (view.state === 'bound' || (view.state === 'scanned' && !isRefresh)) return answer(c, user)
      const lang = toLanguage(c.req.header('Accept-Language'), events.lang)
      const ticket = await tickets({ identity, isRefresh, label, lang })
      return c.json(toTicketView(ticket, await store.user(identity), clock()))
    })
    .get('/binding', async (c) => {
      const { identity } = c.var.visitor
      const known = knownVersion(c.req.header('If-None-Match'))
      if (known === undefined) return answer(c, await userNow(identity))
      const user = await userPast(known, identity, waitMsOf(c.req.header('Prefer')), c.req.raw.signal)
      if (user.version !== known) return answer(c, user)
      c.header('ETag', `"${known}"`)
      return c.body(null, 304)
    })
    .post('/confirm', async (c) => {
      const { identity } = permitted(c.var.visitor, 'bind')
      const { code } = parseShape(confirmSchema, await readJson(c))
      const { user, changes } = await confirmCode(store, identity, code, events.rules, clock())
      afterCommit(changes)
      return answer(c, user)
    })
    .delete('/binding', async (c) => {
      const { identity } = permitted(c.var.visitor, 'unbind')
      const { user, changes } = await unbind(store, identity, 'widget', clock())
      afterCommit(changes)
      return answer(c, user)
    })
}

function permitted(visitor: Visitor, scope: Scope): Visitor {
  if (visitor.scope.includes(scope)) return visitor
  throw new BindError('FORBIDDEN', `The widget token's scope does not hold "${scope}": mint one that does.`)
}

/** An empty body is an empty object: nothing in it is required. */
async function readJson(c: Context): Promise<unknown> {
  const text = await c.req.text()
  return text === '' ? {} : parseJson(text)
}

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

const toTicketView = ({ url, code, expiresAt }: Ticket, { version }: User, now: number): TicketView => ({
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
    exposeHeaders: ['ETag', 'Retry-After'],
    // Chromium keeps a preflight for two hours at most.
    maxAge: 7200,
  }
}
