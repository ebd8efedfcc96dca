/** A fake bind server for one user: the test sets the binding; no WeChat and no store. */
import { type Context, Hono } from 'hono'
import { toQrPath } from '../../server/binding/qr-path.ts'
import type { BindingView, Problem, TicketView } from '../../server/wire.ts'

/** A binding without its version, which each change increases. */
export type Fact = BindingView extends infer View ? (View extends BindingView ? Omit<View, 'version'> : never) : never

/** As long as WeChat's URLs, so that the QR code has the real size. */
export const QR_TEXT = 'http://weixin.qq.com/q/02N5qIxGYseRT1aBcD1wc-'

export type FakeBind = ReturnType<typeof createFakeBind>

export function createFakeBind({ expiresIn = 120, code = '4821' } = {}) {
  let fact: Fact = { state: 'unbound' }
  let version = 1
  let triesLeft = 3
  let life = expiresIn
  let isMute = false
  const parked = new Set<() => void>()
  const refusals = new Map<string, Partial<Problem>>()
  const requests: string[] = []

  const answer = (c: Context) => c.json({ ...fact, version } as BindingView, 200, { ETag: `"${version}"` })

  function change(next: Fact): void {
    fact = next
    version++
    for (const leave of [...parked]) leave()
  }

  const refuse = (c: Context, { status = 500, ...problem }: Partial<Problem>) =>
    c.json({ type: 'about:blank', title: problem.code, detail: 'Set by the test', ...problem, status }, status as 500)

  /** Waits until the binding changes, the client disconnects, or `clear` is called. */
  const park = (signal: AbortSignal) =>
    new Promise<void>((resolve) => {
      const leave = () => {
        parked.delete(leave)
        resolve()
      }
      parked.add(leave)
      signal.addEventListener('abort', leave)
    })

  const app = new Hono()
    .use('/widget/*', async (c, next) => {
      c.header('Cache-Control', 'no-store')
      c.header('Access-Control-Allow-Origin', c.req.header('Origin') ?? '*')
      c.header('Access-Control-Allow-Headers', 'authorization, content-type, if-none-match, prefer')
      c.header('Access-Control-Allow-Methods', 'GET, POST, DELETE')
      c.header('Access-Control-Expose-Headers', 'ETag, Retry-After')
      if (c.req.method === 'OPTIONS') return c.body(null, 204)
      const path = c.req.path.replace('/widget/', '')
      requests.push(`${c.req.method} ${path}`)
      const refusal = refusals.get(path)
      if (refusal) return refuse(c, refusal)
      await next()
    })
    .post('/widget/qrcode', async (c) => {
      if (isMute) await park(c.req.raw.signal)
      const { refresh } = await c.req.json<{ refresh: boolean }>()
      if (fact.state === 'bound' || (fact.state === 'scanned' && !refresh)) return answer(c)
      fact = { state: 'unbound' }
      const qr = toQrPath(QR_TEXT)
      return c.json({
        state: 'unbound',
        url: QR_TEXT,
        qr,
        code: 'K7MP3XWA',
        expiresIn: life,
        version,
      } satisfies TicketView)
    })
    .get('/widget/binding', async (c) => {
      if (c.req.header('If-None-Match') === `"${version}"`) await park(c.req.raw.signal)
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
    .delete('/widget/binding', (c) => {
      change({ state: 'unbound', reason: 'widget' })
      return answer(c)
    })

  return {
    app,
    /** Method and path of each request, in order. */
    requests,
    change,
    bind: () => change({ state: 'bound', boundAt: BOUND_AT }),
    /** From now on every request to `path` is answered with this error. */
    refuse: (path: 'qrcode' | 'binding' | 'confirm', problem: Partial<Problem>) => void refusals.set(path, problem),
    /** Requests for a QR code are not answered from now on. */
    mute() {
      isMute = true
    },
    /** Sets the lifetime of new tickets, in seconds. */
    setLife(seconds: number) {
      life = seconds
    },
    get parkedPolls() {
      return parked.size
    },
    /** Ends all waiting requests, so that the server can close. */
    clear() {
      for (const leave of [...parked]) leave()
    },
  }
}

/** 15 November 2023, 06:13 in Shanghai: constant, so that screenshots do not change. */
export const BOUND_AT = 1_700_000_000
