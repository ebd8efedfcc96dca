/**
 * The console: a Hono app with the page and its API, to be mounted at any path. `serve` runs it on a port of its own (CONSOLE_PORT).
 * Each request passes the checks in this order: the host name; for the API the origin; the session; for everything but GET the CSRF
 * token; for every action the role.
 */
import { type Context, Hono, type MiddlewareHandler } from 'hono'
import { routePath } from 'hono/route'
import type { Deps } from '../deps.ts'
import { BindError } from '../errors.ts'
import { type Answer, jsonAnswer, toResponse } from '../http/answer.ts'
import { notFound, onError } from '../http/problem.ts'
import { logRequests } from '../http/request-log.ts'
import { readCookies, toSetCookie } from './cookie.ts'
import { createDoctorReports } from './doctor-report.ts'
import { expectOwnHost, expectOwnPage } from './guards.ts'
import { createLive } from './live.ts'
import { createOverview, ranges } from './overview.ts'
import { bodies, readJson, toIdentity } from './requests.ts'
import { createSessions, type Session, type Sessions } from './sessions.ts'
import { createUserPages } from './users.ts'
import { createWebhookPages } from './webhook-pages.ts'
import type { Meta, SessionState } from './wire.ts'

type Env = { Variables: { session: Session } }

/** Allows the sources that the page needs and no others. Forbids other sites to frame the page. */
const PAGE_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')

const HEADERS = {
  'X-Frame-Options': 'DENY',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'X-Robots-Tag': 'noindex',
}

export function createConsole(deps: Deps): Hono {
  const answerError = onError(deps.log)
  const hostOf = (c: Context) => c.req.header('Host') ?? new URL(c.req.url).host
  const guardHost: MiddlewareHandler = async (c, next) => {
    expectOwnHost(hostOf(c), deps.console.hostNames)
    await next()
  }
  const app = new Hono()
    .use(logRequests(deps), withHeaders, guardHost)
    .use('/api/*', async (c, next) => {
      expectOwnPage((name) => c.req.header(name), hostOf(c))
      await next()
    })
    .route('/api', apiRoutes(deps))
    .get('/*', (c) => toResponse(c, pageAnswer(c, deps)))
  return app.notFound((c) => answerError(notFound(), c)).onError((error, c) => withHeadersOf(answerError(error, c)))
}

const withHeaders: MiddlewareHandler = async (c, next) => {
  await next()
  withHeadersOf(c.res)
}

function withHeadersOf(response: Response): Response {
  for (const [name, value] of Object.entries(HEADERS)) response.headers.set(name, value)
  return response
}

function apiRoutes(deps: Deps) {
  const sessions = createSessions(deps)
  const users = createUserPages(deps)
  const webhooks = createWebhookPages(deps)
  const doctor = createDoctorReports(deps)
  const overview = createOverview(deps)
  const live = createLive(deps)
  const json = (c: Context, value: object) => toResponse(c, jsonAnswer(value))
  const signed = requireSession(sessions)
  const name = async (c: Context) => toIdentity(await readJson(c, bodies.userName))

  const open = new Hono<Env>()
    .get('/session', async (c) => json(c, await sessionState(c, sessions, deps)))
    .post('/session', async (c) => {
      const session = await sessions.signIn((await readJson(c, bodies.signIn)).token.trim())
      return withCookie(json(c, sessions.view(session)), c, deps, session)
    })
    .use(signed)
    .delete('/session', async (c) => {
      await sessions.signOut(c.get('session'))
      return withCookie(toResponse(c, { status: 204, headers: {}, body: null }), c, deps)
    })
  const reads = new Hono<Env>()
    .get('/meta', async (c) => json(c, await metaOf(deps)))
    .get('/overview', async (c) => {
      const range = ranges.find((each) => each === (c.req.query('range') ?? '24h'))
      if (!range) throw new BindError('BAD_REQUEST', `range must be one of ${ranges.join(', ')}.`)
      return json(c, await overview(range, c.req.query('tenant') || undefined))
    })
    .post('/users/search', async (c) =>
      json(c, await users.search(await readJson(c, bodies.userSearch), c.get('session'))),
    )
    .post('/users/show', async (c) => json(c, await users.show(await name(c), c.get('session'))))
    .get('/webhooks', async (c) => json(c, await webhooks.show(c.get('session'))))
    .get('/doctor', async (c) => json(c, await doctor.last()))
    .get('/live', async (c) => {
      const wait = Number(c.req.query('wait') ?? '0')
      if (!Number.isInteger(wait) || wait < 0 || wait > 25) throw new BindError('BAD_REQUEST', 'wait must be 0 to 25.')
      return json(c, await live(c.req.query('after') || undefined, wait * 1000, c.req.raw.signal))
    })
  const actions = new Hono<Env>()
    .use(requireOperator)
    .post('/users/unbind', async (c) => json(c, await users.unbind(await name(c), c.get('session'))))
    .post('/users/erase', async (c) => {
      await users.erase(await name(c), c.get('session'))
      return json(c, { erased: true })
    })
    .post('/users/export', async (c) => {
      const exported = await users.export(await name(c), c.get('session'))
      const headers = {
        'Content-Type': 'application/json',
        // The user's ids are not in the name, because the name is shown in lists of downloads.
        'Content-Disposition': 'attachment; filename="user.json"',
      }
      return toResponse(c, { status: 200, headers, body: `${JSON.stringify(exported, null, 2)}\n` })
    })
    .post('/users/reveal', async (c) => json(c, await users.reveal(await name(c), c.get('session'))))
    .post('/webhooks/replay', async (c) =>
      json(c, await webhooks.replay(await readJson(c, bodies.noticeChoice), c.get('session'))),
    )
    .post('/webhooks/retry', async (c) =>
      json(c, await webhooks.retry(await readJson(c, bodies.noticeChoice), c.get('session'))),
    )
    .post('/webhooks/enable', async (c) =>
      json(c, await webhooks.enable((await readJson(c, bodies.receiverChoice)).receiver, c.get('session'))),
    )
    .post('/webhooks/test', async (c) =>
      json(c, await webhooks.test((await readJson(c, bodies.receiverChoice)).receiver, c.get('session'))),
    )
    .post('/doctor', async (c) => json(c, await doctor.run(c.get('session'))))
  // An unknown path below `api/` must not get the page.
  return open
    .route('/', reads)
    .route('/', actions)
    .all('*', () => {
      throw notFound()
    })
}

function requireSession(sessions: Sessions): MiddlewareHandler<Env> {
  return async (c, next) => {
    const session = await sessions.find(readCookies(c.req.header('Cookie')))
    if (!session) throw new BindError('UNAUTHORIZED', 'There is no session, or it has ended: sign in.')
    if (c.req.method !== 'GET') sessions.expectCsrf(session, c.req.header('X-Console-CSRF'))
    c.set('session', session)
    await next()
  }
}

const requireOperator: MiddlewareHandler<Env> = async (c, next) => {
  if (c.get('session').role !== 'operator') {
    throw new BindError('FORBIDDEN', 'A viewer cannot do this: it needs a token with the role operator.')
  }
  await next()
}

async function sessionState(c: Context, sessions: Sessions, { console: { offers } }: Deps): Promise<SessionState> {
  const session = await sessions.find(readCookies(c.req.header('Cookie')))
  if (session) return { signedIn: true, ...sessions.view(session) }
  return offers ? { signedIn: false, offers } : { signedIn: false }
}

async function metaOf({ accountName, events, store, console: { version, tenants } }: Deps): Promise<Meta> {
  const known = new Set([...tenants(), ...(await store.console.tenants())])
  return {
    version,
    tenants: [...known].sort(),
    languages: ['zh-CN', 'zh-TW', 'en'],
    accountName: accountName ?? null,
    appId: events.appId,
    confirm: events.rules.confirm,
    conflict: events.rules.conflict,
  }
}

/** The cookie is valid for the path at which the console is mounted. Without a session it is removed. */
function withCookie(response: Response, c: Context, { clock, console }: Deps, session?: Session): Response {
  const { pathname, protocol } = new URL(c.req.url)
  // A forged proxy header is harmless, because the header can only make the cookie stricter.
  const isSecure = protocol === 'https:' || c.req.header('X-Forwarded-Proto')?.startsWith('https') === true
  const path = console.cookiePath ?? pathname.slice(0, -'api/session'.length)
  const expiresInMs = session ? session.expiresAt - clock() : 0
  response.headers.append('Set-Cookie', toSetCookie(session?.cookie, expiresInMs, { path, isSecure }))
  return response
}

/**
 * Serves the page below the path of the mount. Without a slash at the end of that path, the relative paths in the page would be
 * wrong.
 */
function pageAnswer(c: Context, { console: { page } }: Deps): Answer {
  if (!page) throw new BindError('NOT_FOUND', 'The page of the console is not built: run "npm run build" first.')
  const { pathname } = new URL(c.req.url)
  const mount = mountOf(c)
  if (pathname === mount && !mount.endsWith('/')) {
    // The redirect is relative, because a proxy may add a path in front.
    return { status: 308, headers: { Location: `${mount.slice(mount.lastIndexOf('/') + 1)}/` }, body: null }
  }
  const file = page.find(pathname.slice(mount.length).replace(/^\//, '') || 'index.html')
  if (!file) throw notFound()
  const { etag, type, body, isImmutable } = file
  const headers = {
    'Content-Security-Policy': PAGE_POLICY,
    'Cache-Control': isImmutable ? 'private, max-age=31536000, immutable' : 'no-cache',
    ETag: etag,
  }
  if (c.req.header('If-None-Match') === etag) return { status: 304, headers, body: null }
  return { status: 200, headers: { ...headers, 'Content-Type': type }, body }
}

/** The path at which the app is mounted, without a slash at its end. The route of the page is `<mount>/*`. */
const mountOf = (c: Context) => routePath(c, -1).replace(/\/\*$/, '')
