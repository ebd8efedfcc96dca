/**
 * The simulator's control API (`/control/*`). The QA page and browser tests use it to operate the phones and to set
 * faults.
 */
import { type Context, Hono } from 'hono'
import { setCookie } from 'hono/cookie'
import { HTTPException } from 'hono/http-exception'
import { type SSEStreamingApi, streamSSE } from 'hono/streaming'
import { z } from 'zod'
import type { AccessTokens } from './access-tokens.ts'
import type { Account } from './account.ts'
import { PERSON_COOKIE } from './authorize-page.ts'
import type { ChangeListeners } from './change-listeners.ts'
import { parseMenuLink, toChatParts } from './chat.ts'
import { callbackFaults, type Faults } from './faults.ts'
import type { Phone } from './phone.ts'
import type { Qrcodes } from './qrcodes.ts'
import { createRequestGuard, type TrustedNames } from './request-guard.ts'
import type { TrafficLog } from './traffic-log.ts'
import type { PhoneView, ScanView, SimulatorView } from './views.ts'
import type { AuthorizeResult, WebAuthorization } from './web-authorization.ts'

type ControlApiDeps = {
  account: Account
  accessTokens: AccessTokens
  qrcodes: Qrcodes
  phones: Phone[]
  phone: (person: string) => Phone
  faults: Faults
  webAuthorization: WebAuthorization
  wire: TrafficLog
  changes: ChangeListeners
  trusted: TrustedNames
  /** Closes the event streams. */
  signal: AbortSignal
}

// Some proxies close a stream that is silent for 30 s.
const HEARTBEAT_MS = 20_000

const scanBody = z.strictObject({ url: z.string().max(4096).optional(), follow: z.boolean().default(false) })
const followBody = z.strictObject({ lingeredMs: z.int().min(0).default(0) })
const authorizeBody = z.strictObject({
  url: z.string().max(8192),
  isDeclined: z.boolean().optional(),
  isSnapshot: z.boolean().optional(),
})
const browserBody = z.strictObject({ answer: z.enum(['allow', 'decline', 'snapshot']).default('allow') })
const expireBody = z.strictObject({ url: z.string().max(4096).optional() })
const textBody = z.strictObject({ content: z.string().min(1).max(2048) })
const tapBody = z.strictObject({ href: z.string().refine(parseMenuLink, 'is not a weixin://bizmsgmenu link') })
/** A path of WeChat's API, or `*` for all paths. */
const apiPath = z
  .string()
  .regex(/^(\*|\/(cgi-bin|sns|connect)\/.+)$/, 'must be * or begin with /cgi-bin/, /sns/ or /connect/')
const failBody = z.strictObject({
  path: apiPath,
  errcode: z.int(),
  times: z.int().min(1).or(z.literal('always')).default(1),
})
const slowBody = z.strictObject({ path: apiPath, ms: z.int().min(0).max(60_000) })
const downBody = z.strictObject({ down: z.boolean() })
const callbackBody = z.strictObject({ fault: z.enum(callbackFaults) })

export const toSimulatorView = ({ account, phones }: Pick<ControlApiDeps, 'account' | 'phones'>): SimulatorView => ({
  account: account.name,
  phones: phones.map(toPhoneView),
})

export function createControlApi(deps: ControlApiDeps): Hono {
  const { accessTokens, qrcodes, phone, faults, webAuthorization, wire, changes, trusted, signal } = deps
  const view = () => toSimulatorView(deps)

  function phoneOf(c: Context): Phone {
    try {
      return phone(c.req.param('person') ?? '')
    } catch (error) {
      throw new HTTPException(404, { message: (error as TypeError).message })
    }
  }

  function writerOf(c: Context): Phone {
    const phone = phoneOf(c)
    if (!phone.following) throw new HTTPException(409, { message: `${phone.person} does not follow the account` })
    return phone
  }

  return (
    new Hono()
      .use(createRequestGuard(trusted))
      .get('/state', (c) => c.json(view()))
      /** Sends the state at once, and again after each change. */
      .get('/stream', (c) => streamSSE(c, (stream) => sendChanges(stream, view, changes, signal)))
      .get('/wire', (c) => c.json({ entries: wire.since(Number(c.req.query('since') ?? 0)) }))
      // The API answers each action at once. The result of the callback appears in the state later.
      .post('/phones/:person/scan', async (c) => {
        const { url, follow } = await readBody(c, scanBody)
        const person = phoneOf(c)
        const { screen } = person.point(url)
        if (screen !== 'follow' || !follow) return c.json({ screen } satisfies ScanView)
        void person.follow()
        return c.json({ screen: 'chat' } satisfies ScanView)
      })
      .post('/phones/:person/follow', async (c) => {
        const { lingeredMs } = await readBody(c, followBody)
        void phoneOf(c).follow({ lingeredMs })
        return c.body(null, 204)
      })
      .post('/phones/:person/unfollow', (c) => {
        void phoneOf(c).unfollow()
        return c.body(null, 204)
      })
      // This endpoint answers only after the callback, so that a test can wait until the bindings have ended.
      .post('/phones/:person/close-account', async (c) => {
        await phoneOf(c).closeAccount()
        return c.body(null, 204)
      })
      .post('/phones/:person/revoke-authorization', (c) => {
        void phoneOf(c).revokeAuthorization()
        return c.body(null, 204)
      })
      .post('/phones/:person/authorize', async (c) => {
        const { url, ...how } = await readBody(c, authorizeBody)
        return c.json(webAuthorization.authorize(phoneOf(c), url, how) satisfies AuthorizeResult)
      })
      // From now on the simulator treats the calling browser as the browser in the person's WeChat.
      .post('/phones/:person/browser', async (c) => {
        const { answer } = await readBody(c, browserBody)
        setCookie(c, PERSON_COOKIE, `${phoneOf(c).person}.${answer}`, { path: '/', httpOnly: true, sameSite: 'Lax' })
        return c.body(null, 204)
      })
      .post('/phones/:person/text', async (c) => {
        const { content } = await readBody(c, textBody)
        void writerOf(c).sendText(content)
        return c.body(null, 204)
      })
      .post('/phones/:person/tap', async (c) => {
        const { href } = await readBody(c, tapBody)
        void writerOf(c).tap(href)
        return c.body(null, 204)
      })
      .post('/faults/fail', async (c) => {
        const { path, errcode, times } = await readBody(c, failBody)
        faults.fail(path, errcode, times === 'always' ? Infinity : times)
        return c.body(null, 204)
      })
      .post('/faults/slow', async (c) => {
        const { path, ms } = await readBody(c, slowBody)
        faults.slow(path, ms)
        return c.body(null, 204)
      })
      .post('/faults/down', async (c) => {
        faults.setDown((await readBody(c, downBody)).down)
        return c.body(null, 204)
      })
      .post('/faults/callback', async (c) => {
        faults.setCallback((await readBody(c, callbackBody)).fault)
        return c.body(null, 204)
      })
      .post('/qrcodes/expire', async (c) => {
        qrcodes.expire((await readBody(c, expireBody)).url)
        return c.body(null, 204)
      })
      .post('/access-tokens/revoke', (c) => {
        accessTokens.revoke()
        return c.body(null, 204)
      })
      .post('/faults/clear', (c) => {
        faults.clear()
        return c.body(null, 204)
      })
      .onError((error, c) => {
        if (!(error instanceof HTTPException)) throw error
        return c.json({ error: error.message }, error.status)
      })
  )
}

function toPhoneView({ person, openid, following, chat }: Phone): PhoneView {
  const messages = chat.map(({ id, from, at, content }) => ({ id, from, at, parts: toChatParts(content) }))
  return { person, openid, isFollowing: following !== null, chat: messages }
}

/** Parses and validates the body; an empty body counts as `{}`. An invalid body is answered with 400 and the reason. */
async function readBody<T>(c: Context, schema: z.ZodType<T>): Promise<T> {
  const text = await c.req.text()
  const body = text === '' ? {} : tryJson(text)
  if (body === undefined) throw new HTTPException(400, { message: 'The body is not JSON' })
  const result = schema.safeParse(body)
  if (result.success) return result.data
  throw new HTTPException(400, { message: z.prettifyError(result.error) })
}

function tryJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Sends the state now and after each change, until the client disconnects or the simulator is closed. */
async function sendChanges(
  stream: SSEStreamingApi,
  view: () => SimulatorView,
  changes: ChangeListeners,
  signal: AbortSignal,
) {
  const send = () => stream.writeSSE({ data: JSON.stringify(view()) })
  const unwatch = changes.watch(() => void send())
  const heartbeat = setInterval(() => void stream.write(':\n\n'), HEARTBEAT_MS)
  await send()
  await new Promise<void>((resolve) => {
    stream.onAbort(resolve)
    signal.addEventListener('abort', () => resolve(), { once: true })
  })
  clearInterval(heartbeat)
  unwatch()
}
