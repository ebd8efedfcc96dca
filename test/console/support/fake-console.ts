/** A fake of the console's server: its JSON API over fixed data, without a store. It runs in a browser, too. */
import { type Context, Hono } from 'hono'
import type {
  LiveEvent,
  LivePage,
  NoticeChoice,
  Overview,
  Range,
  Replayed,
  Revealed,
  Role,
  SessionState,
  SessionView,
  TestOutcome,
  UserList,
  UserName,
  UserSearch,
  UserView,
  Webhooks,
} from '../../../server/console/wire.ts'
import {
  emptyReport,
  emptyWebhooks,
  events,
  meta,
  NOW,
  OPENID,
  report,
  toEmptyOverview,
  toOverview,
  toUserView,
  toWebhooks,
  userLines,
} from './console-data.ts'

/** `loading`: the pages' requests are never answered. `failing`: all of them fail. */
export type Scene = 'full' | 'empty' | 'loading' | 'failing'

export const TOKEN = 'a-secret-of-20-characters'

type FakeOptions = { scene?: Scene; role?: Role; isSignedIn?: boolean; offers?: boolean }

export type FakeConsole = ReturnType<typeof createFakeConsole>

export function createFakeConsole({ scene = 'full', role = 'operator', isSignedIn = true, offers }: FakeOptions = {}) {
  let session: SessionView | undefined = isSignedIn ? newSession(role) : undefined
  let wrongTokens = 0
  let webhooks: Webhooks = scene === 'empty' ? emptyWebhooks : toWebhooks()
  let doctor = scene === 'empty' ? emptyReport : report
  let feed: LiveEvent[] = scene === 'empty' ? [] : [...events]
  const users = new Map<string, UserView | undefined>()
  const waiting = new Set<() => void>()
  const requests: string[] = []
  const held = new Map<string, Promise<void>>()
  const refusals = new Map<string, { status: number; code: string }>()

  const keyOf = ({ tenant, account, userId }: UserName) => [tenant, account, userId].join('/')
  const viewOf = (user: UserName) => (users.has(keyOf(user)) ? users.get(keyOf(user)) : toUserView(nameOf(user)))

  const problem = (c: Context, status: number, code: string, headers?: Record<string, string>) =>
    c.json({ type: 'about:blank', title: code, status, code, detail: 'Set by the test' }, status as 400, headers)

  const waitForChange = (signal: AbortSignal) =>
    new Promise<void>((resolve) => {
      const end = () => {
        waiting.delete(end)
        resolve()
      }
      waiting.add(end)
      signal.addEventListener('abort', end)
    })

  function push(event: Omit<LiveEvent, 'id' | 'version'>): void {
    feed.push({ id: `evt_new${feed.length}`, version: 9, ...event })
    for (const end of [...waiting]) end()
  }

  const api = new Hono()
    .use(async (c, next) => {
      const path = c.req.path.replace(/^.*?\/api\//, '')
      requests.push(`${c.req.method} ${path}`)
      const refusal = refusals.get(path)
      if (refusal) return problem(c, refusal.status, refusal.code)
      await held.get(path)
      if (path === 'session') return next()
      if (!session) return problem(c, 401, 'UNAUTHORIZED')
      if (c.req.method !== 'GET' && c.req.header('X-Console-CSRF') !== session.csrf) return problem(c, 403, 'FORBIDDEN')
      if (path === 'meta') return next()
      if (scene === 'loading') {
        await waitForChange(c.req.raw.signal)
        return problem(c, 503, 'STORE_UNAVAILABLE')
      }
      if (scene === 'failing') return problem(c, 503, 'STORE_UNAVAILABLE')
      await next()
    })
    .get('/session', (c) => {
      const offered = [
        { name: 'viewer', role: 'viewer' as const, token: `${TOKEN}-viewer` },
        { name: 'operator', role: 'operator' as const, token: TOKEN },
      ]
      const state: SessionState = session
        ? { signedIn: true, ...session }
        : { signedIn: false, ...(offers ? { offers: offered } : {}) }
      return c.json(state)
    })
    .post('/session', async (c) => {
      const { token } = await c.req.json<{ token: string }>()
      if (wrongTokens >= 5) return problem(c, 429, 'RATE_LIMITED', { 'Retry-After': '45' })
      if (!token.startsWith(TOKEN)) {
        wrongTokens += 1
        return problem(c, 401, 'UNAUTHORIZED')
      }
      session = newSession(token === TOKEN ? role : 'viewer')
      return c.json(session)
    })
    .delete('/session', (c) => {
      session = undefined
      return c.body(null, 204)
    })
    .get('/meta', (c) => c.json(meta))
    .get('/overview', (c) => {
      const range = c.req.query('range') as Range
      const tenant = c.req.query('tenant')
      return c.json<Overview>(scene === 'empty' ? toEmptyOverview(range) : toOverview(range, tenant))
    })
    .post('/users/search', async (c) => {
      const { q, tenant, cursor, limit = 50 } = await c.req.json<UserSearch>()
      const found =
        scene === 'empty' ? [] : userLines.filter((line) => isFound(line, q) && (!tenant || line.tenant === tenant))
      const start = Number(cursor ?? 0)
      const items = found.slice(start, start + limit)
      const hidden = session?.role === 'viewer' ? items.map((item) => ({ ...item, openid: null })) : items
      const next = start + limit < found.length ? String(start + limit) : null
      return c.json<UserList>({ items: hidden, next })
    })
    .post('/users/show', async (c) => {
      const view = viewOf(await c.req.json<UserName>())
      if (!view) return problem(c, 404, 'NOT_FOUND')
      return c.json<UserView>(session?.role === 'viewer' ? hideIds(view) : view)
    })
    .post('/users/unbind', async (c) => {
      const user = await c.req.json<UserName>()
      const view = viewOf(user)
      if (!view?.binding) return problem(c, 409, 'NOT_BOUND')
      const entry = { id: 'h6', type: 'unbound', reason: 'operator', version: 8, at: NOW, by: 'alice' } as const
      const next: UserView = {
        ...view,
        state: 'unbound',
        reason: 'operator',
        binding: null,
        version: 8,
        history: [entry, ...view.history],
      }
      users.set(keyOf(user), next)
      push({ ...user, type: 'binding.unbound', reason: 'operator', at: NOW })
      return c.json(next)
    })
    .post('/users/erase', async (c) => {
      users.set(keyOf(await c.req.json<UserName>()), undefined)
      return c.json({ erased: true })
    })
    .post('/users/export', async (c) => c.json(await c.req.json()))
    .post('/users/reveal', async (c) => {
      const user = await c.req.json<UserName>()
      const view = viewOf(user)
      if (!view?.binding) return problem(c, 409, 'NOT_BOUND')
      const entry = { id: 'h7', type: 'revealed', reason: null, version: null, at: NOW, by: 'alice' } as const
      users.set(keyOf(user), { ...view, history: [entry, ...view.history] })
      return c.json<Revealed>({ openid: OPENID, unionid: null })
    })
    .get('/webhooks', (c) => c.json(webhooks))
    .post('/webhooks/replay', async (c) => {
      const choice = await c.req.json<NoticeChoice>()
      const failed = webhooks.failed.filter(
        ({ id, receiver }) => !(choice.id === id || choice.receiver === receiver || Object.keys(choice).length === 0),
      )
      const count = webhooks.failed.length - failed.length
      webhooks = { ...webhooks, failed, failedCount: failed.length, waitingCount: webhooks.waitingCount + count }
      return c.json<Replayed>({ count })
    })
    .post('/webhooks/retry', (c) => c.json<Replayed>({ count: 1 }))
    .post('/webhooks/enable', async (c) => {
      const { receiver } = await c.req.json<{ receiver: string }>()
      const receivers = webhooks.receivers.map((each) =>
        each.name === receiver ? { ...each, status: 'on' as const, light: 'ok' as const, failures: 0 } : each,
      )
      webhooks = { ...webhooks, receivers }
      return c.json(webhooks)
    })
    .post('/webhooks/test', async (c) => {
      const { receiver } = await c.req.json<{ receiver: string }>()
      const found = webhooks.receivers.find(({ name }) => name === receiver)
      const failure = found?.lastFailure ?? null
      const outcome = { accepted: !failure, failure, advice: found?.advice ?? null, ms: 84 }
      return c.json<TestOutcome>(outcome)
    })
    .get('/doctor', (c) => c.json(doctor))
    .post('/doctor', (c) => {
      doctor = { ...report, at: NOW, by: 'alice' }
      return c.json(doctor)
    })
    .get('/live', async (c) => {
      const after = c.req.query('after')
      const known = Number(after ?? 0)
      if (after !== undefined && known >= feed.length) await waitForChange(c.req.raw.signal)
      return c.json<LivePage>({ events: feed.slice(known), cursor: String(feed.length) })
    })

  return {
    /** The API below any path. */
    app: new Hono().route('/api', api).route('/console/api', api),
    /** Method and path of each request, in order. */
    requests,
    push,
    /** From now on, requests to `path` get this problem. */
    refuse: (path: string, status: number, code: string) => void refusals.set(path, { status, code }),
    /** Requests to `path` are answered after the returned function has been called. */
    hold(path: string): () => void {
      const { promise, resolve } = Promise.withResolvers<void>()
      held.set(path, promise)
      return resolve
    },
    allow: (path: string) => void refusals.delete(path),
    /** The server ends the session, as after a token has been taken away. */
    endSession() {
      session = undefined
    },
    /** Ends all waiting requests, so that a server can close. */
    clear() {
      for (const end of [...waiting]) end()
      feed = []
    },
  }
}

const newSession = (role: Role): SessionView => ({ name: 'alice', role, expiresAt: NOW + 43_200_000, csrf: 'csrf' })

const nameOf = ({ tenant, account, userId }: UserName): UserName => ({ tenant, account, userId })

const isFound = (line: UserName, q: string) =>
  q === '' || line.account === q || line.userId.startsWith(q) || (q === OPENID && line.userId === userLines[0]?.userId)

const hideIds = (view: UserView): UserView => ({
  ...view,
  binding: view.binding && { ...view.binding, openid: null, unionid: null },
})
