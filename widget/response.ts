/** Parses a response: returns its JSON, null for "304 Not Modified", or throws a BindError. */
import type { Problem } from '../server/wire.ts'
import { BindError } from './bind-error.ts'

/** Codes of errors that have a 5xx status, although a retry cannot solve them. */
const FINAL_CODES = ['WECHAT_FORBIDDEN', 'BAD_CONFIG']

export async function parseResponse(response: Response): Promise<unknown> {
  const { status, headers, ok } = response
  const got = status ? `HTTP ${status} ${headers.get('Content-Type')}` : 'a redirect'
  if (status === 304) return null
  const json = parseJson(await response.text()) as Partial<Problem> | undefined
  if (ok && json) return json
  // An error of the bind server has a code. An error of a proxy has no code and becomes BAD_RESPONSE.
  const code = (!ok && json?.code) || 'BAD_RESPONSE'
  throw new BindError(code, json?.detail ?? `Expected JSON, got ${got}`, {
    retryable: (status === 429 || status >= 500) && !FINAL_CODES.includes(code),
    retryAfterMs: parseRetryAfter(headers.get('Retry-After')),
    triesLeft: json?.triesLeft,
    requestId: json?.requestId,
    status,
  })
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/**
 * The longest accepted Retry-After. If a clock is wrong, a date can be weeks away, and a `setTimeout` above 24.8 days
 * fires at once.
 */
const MAX_RETRY_AFTER_MS = 3_600_000

/** Parses a number of seconds or a date (RFC 9110, section 10.2.3). */
function parseRetryAfter(value: string | null): number | undefined {
  const ms = Number(value) * 1000 || Date.parse(value ?? '') - Date.now()
  return ms > 0 ? Math.min(ms, MAX_RETRY_AFTER_MS) : undefined
}
