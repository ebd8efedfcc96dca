/** One call to WeChat's API: JSON in and out, an end in time, and every fault a BindError. */
import { BindError } from '../errors.ts'
import type { Fetch } from '../platform.ts'
import { toWechatError, type WechatFault } from './errcode.ts'

/** The answer of a call; WeChat answers faults with HTTP 200 and an `errcode`. */
export type ApiAnswer = Record<string, unknown> & Partial<WechatFault>

/** `url` may hold the access token, so it never gets into an error. */
export async function callWechat(
  fetch: Fetch,
  url: string,
  init: RequestInit,
  signal: AbortSignal,
): Promise<ApiAnswer> {
  const response = await fetch(url, { ...init, signal, redirect: 'error' }).catch((cause) => {
    throw unavailable(signal.aborted ? 'WeChat did not answer in time' : 'WeChat could not be reached', cause)
  })
  const text = await response.text().catch((cause) => {
    throw unavailable("WeChat's answer broke off", cause)
  })
  if (!response.ok) throw unavailable(`WeChat answered HTTP ${response.status}`)
  return parseAnswer(text)
}

function parseAnswer(text: string): ApiAnswer {
  try {
    const answer: unknown = JSON.parse(text)
    if (typeof answer === 'object' && answer !== null) return answer as ApiAnswer
  } catch {
    // falls through: a page of a proxy or a captive portal is as good as no answer
  }
  throw unavailable('WeChat answered something other than JSON')
}

/** Throws when the answer is a fault (`errcode` absent or 0 is success). */
export function expectSuccess(answer: ApiAnswer): ApiAnswer {
  const { errcode = 0, errmsg = '' } = answer
  if (errcode !== 0) throw toWechatError({ errcode, errmsg: String(errmsg) })
  return answer
}

export function postJson(body: unknown): RequestInit {
  return { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) }
}

export function unavailable(what: string, cause?: unknown): BindError {
  // An undici error names the host, never the query; the cause still stays out of the message.
  return new BindError('WECHAT_UNAVAILABLE', `${what}: try again; if it lasts, run "wechat-bind doctor".`, { cause })
}
