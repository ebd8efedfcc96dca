/**
 * A fake bind server for the widget, without WeChat and without a store. It has the browser API for one user, and the
 * test sets the state of this user.
 */
import { type Context, Hono } from 'hono'
import { toQrPath } from '../../server/binding/qr-path.ts'
import type { BindingView, FollowQr, Problem, TicketView } from '../../server/wire.ts'

/** A `BindingView` without its version. The fake server increases the version with each change. */
type UnversionedView = BindingView extends infer View
  ? View extends BindingView
    ? Omit<View, 'version'>
    : never
  : never

/** A text with the length of WeChat's texts, so that the QR code has the same number of modules. */
export const QR_TEXT = 'http://weixin.qq.com/q/02N5qIxGYseRT1aBcD1wc-'

export type FakeBind = ReturnType<typeof createFakeBind>

/**
 * `oauth` means that the server offers the authorization in WeChat. `user` is the header `Bind-User`, with which tabs share
 * a poll.
 */
type FakeBindOptions = { expiresIn?: number; code?: string; account?: string; oauth?: true; user?: string }

export function createFakeBind({ expiresIn = 120, code = '4821', account, oauth, user }: FakeBindOptions = {}) {
  let view: UnversionedView = { state: 'unbound' }
  let version = 1
  let triesLeft = 3
  let lifetime = expiresIn
  let holdsQrRequests = false
  const waiting = new Set<() => void>()
  let arrived = Promise.withResolvers<void>()
  const refusals = new Map<string, Partial<Problem>>()
  const requests: string[] = []

  const answer = (c: Context) => c.json({ ...view, version } as BindingView, 200, { ETag: `"${version}"` })

  function change(next: UnversionedView): void {
    view = next
    version++
    for (const stopWaiting of [...waiting]) stopWaiting()
  }

  const refuse = (c: Context, { status = 500, ...problem }: Partial<Problem>) =>
    c.json({ type: 'about:blank', title: problem.code, detail: 'Set by the test', ...problem, status }, status as 500)

  /** Resolves when the state changes, when the client disconnects, or when the test ends all waiting requests. */
  const waitForChange = (signal: AbortSignal) =>
    new Promise<void>((resolve) => {
      const stopWaiting = () => {
        waiting.delete(stopWaiting)
        resolve()
      }
      waiting.add(stopWaiting)
      arrived.resolve()
      arrived = Promise.withResolvers()
      signal.addEventListener('abort', stopWaiting)
    })

  const app = new Hono()
    .use('/widget/*', async (c, next) => {
      c.header('Cache-Control', 'no-store')
      c.header('Access-Control-Allow-Origin', c.req.header('Origin') ?? '*')
      c.header('Access-Control-Allow-Headers', 'authorization, content-type, if-none-match, prefer')
      c.header('Access-Control-Allow-Methods', 'GET, POST, DELETE')
      c.header('Access-Control-Expose-Headers', 'ETag, Retry-After, Bind-User')
      if (user) c.header('Bind-User', user)
      if (c.req.method === 'OPTIONS') return c.body(null, 204)
      const path = c.req.path.replace('/widget/', '')
      requests.push(`${c.req.method} ${path}`)
      const refusal = refusals.get(path)
      if (refusal) return refuse(c, refusal)
      await next()
    })
    .post('/widget/qrcode', async (c) => {
      if (holdsQrRequests) await waitForChange(c.req.raw.signal)
      const { refresh } = await c.req.json<{ refresh: boolean }>()
      if (view.state === 'bound' || (view.state === 'scanned' && !refresh)) return answer(c)
      view = { state: 'unbound' }
      const qr = toQrPath(QR_TEXT)
      return c.json({
        state: 'unbound',
        url: QR_TEXT,
        qr,
        code: 'K7MP3XWA',
        ...(account && { account }),
        ...(oauth && { oauth }),
        expiresIn: lifetime,
        version,
      } satisfies TicketView)
    })
    .get('/widget/binding', async (c) => {
      if (c.req.header('If-None-Match') === `"${version}"`) await waitForChange(c.req.raw.signal)
      return answer(c)
    })
    .post('/widget/confirm', async (c) => {
      if ((await c.req.json<{ code: string }>()).code !== code) {
        triesLeft--
        return refuse(c, { status: 422, code: 'WRONG_CODE', triesLeft })
      }
      change({ state: 'bound', boundAt: BOUND_AT })
      return answer(c)
    })
    .post('/widget/oauth/confirm', async (c) => {
      const qr = toQrPath(QR_TEXT)
      const follow: FollowQr = { url: QR_TEXT, qr, ...(account && { account }) }
      change({ state: 'bound', boundAt: BOUND_AT, subscribed: false, follow })
      return answer(c)
    })
    .delete('/widget/binding', (c) => {
      change({ state: 'unbound', reason: 'widget' })
      return answer(c)
    })

  return {
    app,
    /** The method and the path of each request, in order. */
    requests,
    change,
    bind: () => change({ state: 'bound', boundAt: BOUND_AT }),
    /** Answers every request to `path` with this problem from now on. */
    refuse: (path: 'qrcode' | 'binding' | 'confirm' | 'oauth' | 'oauth/confirm', problem: Partial<Problem>) =>
      void refusals.set(path, problem),
    /** Keeps all requests for a QR code waiting from now on. */
    holdQrRequests() {
      holdsQrRequests = true
    },
    /** The lifetime of tickets created from now on. */
    setTicketLifetime(seconds: number) {
      lifetime = seconds
    },
    get waitingPolls() {
      return waiting.size
    },
    /** Resolves when a poll is waiting. */
    async untilPolling(): Promise<void> {
      if (waiting.size === 0) await arrived.promise
    },
    /** Ends all waiting requests, so that the server can close. */
    clear() {
      for (const stopWaiting of [...waiting]) stopWaiting()
    },
  }
}

/** The time 15 November 2023, 06:13 in Shanghai. The time never changes, so that screenshots do not change. */
export const BOUND_AT = 1_700_000_000
