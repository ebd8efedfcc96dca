/** Sends an HTTP request with a time limit, and describes a failure in both languages. */

import type { Bilingual } from '../errors.ts'
import { AnswerTooLong, type Fetch, readCapped, type SetTimer } from '../platform.ts'
import { type ApiAnswer, parseAnswer } from '../wechat/http.ts'

export type ProbeDeps = { fetch: Fetch; clock: () => number; setTimer: SetTimer }

/** `skewMs` is this machine's clock minus the answer's `Date`. Undefined without this header. */
export type HttpResult =
  /** `body` is bytes, because decoding drops a byte order mark. */
  | {
      kind: 'answered'
      status: number
      body: Buffer
      tookMs: number
      skewMs: number | undefined
      /** The `Access-Control-Allow-Origin` of the answer. */
      allowsOrigin: string | null
    }
  | { kind: 'timeout' }
  | { kind: 'unreachable'; code: string }

export type HttpFailure = Exclude<HttpResult, { kind: 'answered' }>

/** `fault` is the predicate of a sentence. Its subject is the other server. */
export type JsonResult =
  | { kind: 'answered'; answer: ApiAnswer; skewMs: number | undefined }
  | { kind: 'failed'; fault: Bilingual }

// WeChat waits 5 s for a callback, and the server waits 4 s for WeChat.
const LIMIT_MS = 5_000

// Every answer that the doctor expects has at most a few KiB.
const MAX_ANSWER = 256 * 1024

/** Resolves with the result of `work`, or with `'timeout'` after `ms`, even if `work` ignores its signal. */
export async function withTimeout<T>(
  setTimer: SetTimer,
  ms: number,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T | 'timeout'> {
  const stop = new AbortController()
  const { promise: timeout, resolve } = Promise.withResolvers<'timeout'>()
  const cancel = setTimer(() => {
    resolve('timeout')
    stop.abort()
  }, ms)
  try {
    return await Promise.race([work(stop.signal), timeout])
  } finally {
    cancel()
  }
}

/** Never rejects. Does not follow redirects. */
export async function sendRequest(
  { fetch, clock, setTimer }: ProbeDeps,
  url: string,
  init: RequestInit = {},
): Promise<HttpResult> {
  const startedAt = clock()
  try {
    const received = await withTimeout(setTimer, LIMIT_MS, async (signal) => {
      const response = await fetch(url, { ...init, signal, redirect: 'manual' })
      return { response, body: Buffer.from(await readCapped(response, MAX_ANSWER).catch(emptyIfTooLong)) }
    })
    if (received === 'timeout') return { kind: 'timeout' }
    const { response, body } = received
    const skewMs = skewOf(response.headers.get('Date'), clock())
    const allowsOrigin = response.headers.get('Access-Control-Allow-Origin')
    return { kind: 'answered', status: response.status, body, tookMs: clock() - startedAt, skewMs, allowsOrigin }
  } catch (error) {
    return { kind: 'unreachable', code: codeOf(error) }
  }
}

/** Sends a request to WeChat's API or a token service. Every answer except HTTP 200 with a JSON object is a failure. */
export async function requestJson(deps: ProbeDeps, url: string, init?: RequestInit): Promise<JsonResult> {
  const result = await sendRequest(deps, url, init)
  if (result.kind !== 'answered') return { kind: 'failed', fault: describeFailure(result) }
  const { status, body, skewMs } = result
  if (status !== 200) return failed(`answered HTTP ${status}, expected 200`, `返回 HTTP ${status}，应为 200`)
  const answer = parseAnswer(body.toString())
  return answer
    ? { kind: 'answered', answer, skewMs }
    : failed('answered something other than a JSON object', '返回的不是 JSON 对象')
}

/** Returns the predicate of a sentence. Its subject is the other server. */
export function describeFailure(failure: HttpFailure): Bilingual {
  if (failure.kind === 'timeout')
    return { en: `did not answer within ${LIMIT_MS / 1000} s`, zh: `在 ${LIMIT_MS / 1000} 秒内没有响应` }
  return { en: `could not be reached (${failure.code})`, zh: `无法连接（${failure.code}）` }
}

/** Replaces an answer that is too long with an empty body, because the doctor reports both in the same words. */
function emptyIfTooLong(error: unknown): Uint8Array {
  if (error instanceof AnswerTooLong) return new Uint8Array(0)
  throw error
}

const failed = (en: string, zh: string): JsonResult => ({ kind: 'failed', fault: { en, zh } })

function skewOf(date: string | null, now: number): number | undefined {
  const theirs = Date.parse(date ?? '')
  return Number.isNaN(theirs) ? undefined : now - theirs
}

/** Returns the code of an error (`ECONNREFUSED`, `CERT_HAS_EXPIRED`), because its message may contain a URL with a token. */
function codeOf(error: unknown): string {
  const { code } = ((error as Error).cause ?? error) as { code?: unknown }
  return typeof code === 'string' && /^[A-Z][A-Z0-9_]+$/.test(code) ? code : 'no connection'
}
