/** One request that ends in time whatever the other side does, and what came of it in words. */

import type { Words } from '../config/env-reader.ts'
import type { Fetch, SetTimer } from '../platform.ts'
import type { ApiAnswer } from '../wechat/http.ts'

/** How the doctor reaches the world. */
export type Reach = { fetch: Fetch; clock: () => number; setTimer: SetTimer }

export type Exchange =
  /** The bytes as they came: decoding would hide a byte order mark. */
  | { kind: 'heard'; status: number; body: Buffer; tookMs: number; skewMs: number | undefined }
  | { kind: 'late' }
  | { kind: 'unreachable'; why: string }

/** `skewMs`: how far our clock is ahead of the answer's `Date`, where it has one. */
export type CallResult =
  | { kind: 'answer'; answer: ApiAnswer; skewMs: number | undefined }
  | { kind: 'silent'; what: Words }

// 5 s: WeChat gives up on a callback then, and the server gives up on WeChat before.
export const LIMIT_MS = 5_000

/** What `work` gives, or `'late'` when the time is up, also when `work` does not listen to its signal. */
export async function within<T>(
  setTimer: SetTimer,
  ms: number,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T | 'late'> {
  const stop = new AbortController()
  const { promise: late, resolve } = Promise.withResolvers<'late'>()
  const cancel = setTimer(() => {
    resolve('late')
    stop.abort()
  }, ms)
  try {
    return await Promise.race([work(stop.signal), late])
  } finally {
    cancel()
  }
}

/** Never rejects. A redirect is an answer like any other. */
export async function exchange({ fetch, clock, setTimer }: Reach, url: string, init: RequestInit): Promise<Exchange> {
  const startedAt = clock()
  try {
    const heard = await within(setTimer, LIMIT_MS, async (signal) => {
      const response = await fetch(url, { ...init, signal, redirect: 'manual' })
      return { response, body: Buffer.from(await response.arrayBuffer()) }
    })
    if (heard === 'late') return { kind: 'late' }
    const { response, body } = heard
    const skewMs = skewOf(response.headers.get('Date'), clock())
    return { kind: 'heard', status: response.status, body, tookMs: clock() - startedAt, skewMs }
  } catch (error) {
    return { kind: 'unreachable', why: reasonOf(error) }
  }
}

/** A call that should be answered with HTTP 200 and a JSON object, as all of WeChat's are. */
export async function ask(reach: Reach, url: string, init: RequestInit = {}): Promise<CallResult> {
  const heard = await exchange(reach, url, init)
  if (heard.kind !== 'heard') return { kind: 'silent', what: silenceOf(heard) }
  if (heard.status !== 200) return odd(`answered HTTP ${heard.status}, not 200`, `返回 HTTP ${heard.status}，而非 200`)
  const answer = parseObject(heard.body.toString())
  return answer
    ? { kind: 'answer', answer, skewMs: heard.skewMs }
    : odd('answered something other than JSON', '返回的不是 JSON')
}

/** What follows the name of the one who was asked. */
export function silenceOf(exchange: Exclude<Exchange, { kind: 'heard' }>): Words {
  if (exchange.kind === 'late')
    return { en: `did not answer within ${LIMIT_MS / 1000} s`, zh: `${LIMIT_MS / 1000} 秒内没有响应` }
  return { en: `could not be reached (${exchange.why})`, zh: `无法连接（${exchange.why}）` }
}

const odd = (en: string, zh: string): CallResult => ({ kind: 'silent', what: { en, zh } })

function skewOf(date: string | null, now: number): number | undefined {
  const theirs = Date.parse(date ?? '')
  return Number.isNaN(theirs) ? undefined : now - theirs
}

/** The system's code (`ECONNREFUSED`, `CERT_HAS_EXPIRED`) and never its message, which may hold the address with a token in it. */
function reasonOf(error: unknown): string {
  const { code } = ((error as Error).cause ?? error) as { code?: unknown }
  return typeof code === 'string' && /^[A-Z][A-Z0-9_]+$/.test(code) ? code : 'no connection'
}

function parseObject(text: string): ApiAnswer | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? (value as ApiAnswer) : undefined
  } catch {
    return undefined
  }
}
