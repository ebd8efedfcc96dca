/** A small bind server for the widget's tests. It has versions, ETags, and a long-poll that waits until the test changes the binding. */
import { HttpResponse, http } from 'msw/http'
import type { BindingView, FollowQr, Problem, QrcodeView, TicketView } from '../../../server/wire.ts'
import { changed, until } from './changes.ts'
import { TEST_HEADER } from './pending.ts'

type Fact = BindingView extends infer View ? (View extends BindingView ? Omit<View, 'version'> : never) : never

/** The picture has the size of a version 2 QR code and arbitrary modules. */
const qr = { size: 25, path: 'M0 0h7v7h-7zM18 0h7v7h-7zM0 18h7v7h-7z' }

/** `wechat` is the URL of WeChat's authorization. Without it, the server does not offer the authorization. */
type Options = { expiresIn?: number; code?: string; account?: string; wechat?: string }

export type FakeServer = ReturnType<typeof createFakeServer>

/** Answers the requests that name the id `test`, at any origin. */
export function createFakeServer(test: string, { expiresIn = 120, code = '4821', account, wechat }: Options = {}) {
  let version = 1
  let fact: Fact = { state: 'unbound' }
  let tickets = 0
  let triesLeft = 3
  const parked = new Set<() => void>()
  const refusals: { path: string; answer: () => Response }[] = []
  const requests: { method: string; url: string; path: string; headers: Headers; body: unknown }[] = []
  const accepted = new Set(['token'])
  let user = test
  let more: { subscribed?: false; follow?: FollowQr } = {}

  const view = (): BindingView => ({ ...fact, version })
  const answer = () => HttpResponse.json(view(), { headers: { ETag: `"${version}"`, 'Bind-User': user } })

  function change(next: Fact): void {
    fact = next
    version++
    for (const leave of parked) leave()
  }

  const notice = () => ('notice' in fact && fact.notice ? { notice: fact.notice } : {})

  function ticket(): TicketView {
    return {
      state: 'unbound',
      url: 'http://weixin.qq.com/q/1',
      qr,
      code: `AB3D5${tickets}`,
      expiresIn,
      version,
      ...notice(),
      ...(account && { account }),
      ...(wechat && { oauth: true }),
    }
  }

  /**
   * The common part of all routes. It records the request and returns the refusal that the test has set, or the refusal
   * of an invalid token.
   */
  async function enter(request: Request): Promise<Response | undefined> {
    if (request.headers.get(TEST_HEADER) !== test) return problem(410, 'LATE')
    const { pathname: url } = new URL(request.url)
    const path = url.replace(/.*\/widget\//, '')
    const text = await request.clone().text()
    requests.push({ method: request.method, url, path, headers: request.headers, body: text ? JSON.parse(text) : null })
    changed()
    const planned = refusals.findIndex((refusal) => refusal.path === path)
    if (planned >= 0) return refusals.splice(planned, 1)[0]?.answer()
    const token = request.headers.get('Authorization')?.replace('Bearer ', '') ?? ''
    return accepted.has(token) ? undefined : problem(401, 'TOKEN_EXPIRED')
  }

  const handlers = [
    http.post('*/widget/qrcode', async ({ request }) => {
      const refused = await enter(request)
      if (refused) return refused
      const { refresh } = (await request.json()) as { refresh: boolean }
      if (fact.state === 'bound' || (fact.state === 'scanned' && !refresh)) return answer()
      fact = { state: 'unbound' }
      tickets++
      return HttpResponse.json(ticket() satisfies QrcodeView, { headers: { 'Bind-User': user } })
    }),
    http.get('*/widget/binding', async ({ request }) => {
      const refused = await enter(request)
      if (refused) return refused
      if (request.headers.get('If-None-Match') === `"${version}"`) {
        const known = version
        const leave = Promise.withResolvers<void>()
        parked.add(leave.resolve)
        changed()
        request.signal.addEventListener('abort', () => leave.resolve())
        await leave.promise
        parked.delete(leave.resolve)
        if (version === known) return new HttpResponse(null, { status: 304 })
      }
      return answer()
    }),
    http.post('*/widget/confirm', async ({ request }) => {
      const refused = await enter(request)
      if (refused) return refused
      if (((await request.json()) as { code: string }).code === code) {
        change({ state: 'bound', boundAt: 1_700_000_000 })
        return answer()
      }
      return problem(422, 'WRONG_CODE', { triesLeft: --triesLeft })
    }),
    http.post('*/widget/oauth', async ({ request }) => (await enter(request)) ?? HttpResponse.json({ url: wechat })),
    http.post('*/widget/oauth/confirm', async ({ request }) => {
      const refused = await enter(request)
      if (refused) return refused
      change({ state: 'bound', boundAt: 1_700_000_000, ...more })
      return answer()
    }),
    http.delete('*/widget/binding', async ({ request }) => {
      const refused = await enter(request)
      if (refused) return refused
      change({ state: 'unbound', reason: 'widget' })
      return answer()
    }),
  ]

  return {
    handlers,
    requests,
    /** The accepted tokens. A test expires all tokens by clearing the set. */
    accepted,
    change,
    /** After this call the tokens belong to another user. */
    becomeUser(name: string, at: number) {
      user = test + name
      version = at
      fact = { state: 'unbound' }
    },
    /** In this fake, a user who binds without a scan does not follow the Official Account. */
    expectNoFollower() {
      more = { subscribed: false, follow: { url: 'http://weixin.qq.com/q/follow', qr, account: 'Acme' } }
    },
    /** Answers the next request to `path` with `answer`. */
    refuseOnce: (path: string, answer: () => Response) => void refusals.push({ path, answer }),
    /** Ends the waiting polls with 304, as the real server does at its time limit. */
    endWait() {
      for (const leave of parked) leave()
    },
    countOf: (path: string) => requests.filter((request) => request.path === path).length,
    urlsOf: (path: string) => requests.filter((request) => request.path === path).map(({ url }) => url),
    /**
     * Resolves when a poll is waiting. A test calls this first if it makes a change that must not come before the poll.
     */
    parkedPoll: () => until(() => parked.size > 0),
  }
}

export function problem(
  status: number,
  code: string,
  more: Partial<Problem> = {},
  headers: HeadersInit = {},
): Response {
  const type = 'application/problem+json'
  const body = { type: 'about:blank', title: code, status, code, detail: `${code}, set by the test`, ...more }
  return new HttpResponse(JSON.stringify(body), { status, headers: { ...headers, 'Content-Type': type } })
}
