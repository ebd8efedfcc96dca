/** Makes one call of WeChat's API. The answer is JSON, a signal aborts the call, and every error is a `BindError`. */
import { BindError } from '../errors.ts'
import { AnswerTooLong, type Fetch, readCapped } from '../platform.ts'
import { toWechatError, type WechatFault } from './errcode.ts'

/** The JSON object that a call returns. WeChat reports errors with HTTP 200 and an `errcode`. */
export type ApiAnswer = Record<string, unknown> & Partial<WechatFault>

// `user/info/batchget` with 100 followers returns about 100 KB, more than any other call. The limit protects this server from a
// token service or a proxy that never stops sending.
export const MAX_ANSWER = 256 * 1024

const decoder = new TextDecoder()

/** `url` may contain the access token, so no error message quotes the URL. */
export async function callWechat(
  fetch: Fetch,
  url: string,
  init: RequestInit,
  signal: AbortSignal,
): Promise<ApiAnswer> {
  const response = await fetch(url, { ...init, signal, redirect: 'error' }).catch((cause) => {
    const reason = signal.aborted ? 'WeChat did not answer in time' : 'WeChat could not be reached'
    throw unavailable(cause instanceof AnswerTooLong ? TOO_LONG : reason, cause)
  })
  const body = await readCapped(response, MAX_ANSWER).catch((cause) => {
    throw unavailable(
      cause instanceof AnswerTooLong ? TOO_LONG : "The connection was lost during WeChat's answer",
      cause,
    )
  })
  if (!response.ok) throw unavailable(`WeChat answered HTTP ${response.status}, expected 200`)
  const answer = parseAnswer(decoder.decode(body))
  if (!answer) throw unavailable('WeChat answered something other than a JSON object')
  return answer
}

const TOO_LONG = `WeChat answered more than ${MAX_ANSWER / 1024} KiB`

/** Undefined for anything but a JSON object, such as the page of a proxy, and for an `errcode` that is not a number. */
export function parseAnswer(text: string): ApiAnswer | undefined {
  try {
    const answer: unknown = JSON.parse(text)
    if (typeof answer !== 'object' || answer === null || Array.isArray(answer)) return undefined
    const { errcode = 0, errmsg = '', ...fields } = answer as Record<string, unknown>
    if (typeof errcode !== 'number') return undefined
    // A value that is not a string could throw when it is logged, for example {"toString":1}.
    return { ...fields, errcode, errmsg: typeof errmsg === 'string' ? errmsg : '' }
  } catch {
    return undefined
  }
}

/** Throws when the answer reports an error. An `errcode` that is absent or 0 means success. */
export function expectSuccess(answer: ApiAnswer, isTokenRequest = false): ApiAnswer {
  const { errcode = 0, errmsg = '' } = answer
  if (errcode !== 0) throw toWechatError({ errcode, errmsg }, isTokenRequest)
  return answer
}

export function postJson(body: unknown): RequestInit {
  return { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) }
}

export function addAccessToken(url: string, accessToken: string): string {
  return `${url}${url.includes('?') ? '&' : '?'}access_token=${encodeURIComponent(accessToken)}`
}

/** `reason` is a sentence without its full stop. */
export function unavailable(reason: string, cause?: unknown): BindError {
  // The cause is not part of the message, although an error of undici contains only the host and never the query.
  const message = `${reason}. Try again later; if the error persists, run "wechat-bind doctor".`
  return new BindError('WECHAT_UNAVAILABLE', message, { cause })
}
