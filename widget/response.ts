/** One JSON request: the answer's value, null for "not modified", or a BindError. Nothing else comes out of it. */
import type { Problem } from '../server/wire.ts'
import { BindError } from './bind-error.ts'

/** Refusals that come with a 5xx and yet will not change by asking again. */
const FINAL_CODES = ['WECHAT_FORBIDDEN', 'BAD_CONFIG']

/** Gives `run` at most `ms`. Rejects with the signal's reason when `signal` aborts, else with a BindError. */
export async function within<Value>(
  ms: number,
  signal: AbortSignal,
  run: (signal: AbortSignal) => Promise<Value>,
): Promise<Value> {
  const inner = new AbortController()
  const abort = () => inner.abort()
  const timer = setTimeout(abort, ms)
  signal.addEventListener('abort', abort)
  try {
    signal.throwIfAborted()
    const end = new Promise<never>((_, reject) => inner.signal.addEventListener('abort', reject))
    return await Promise.race([run(inner.signal), end])
  } catch (cause) {
    signal.throwIfAborted()
    if (cause instanceof BindError) throw cause
    const late = inner.signal.aborted
    throw new BindError(late ? 'TIMEOUT' : 'NETWORK', late ? 'No answer in time' : 'No connection', {
      retryable: true,
      cause,
    })
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', abort)
  }
}

/** The JSON of an answer. */
export async function parseResponse(response: Response): Promise<unknown> {
  const { status, headers, ok } = response
  if (status === 304) return null
  const json = parseJson(await response.text()) as Partial<Problem> | undefined
  if (ok && json) return json
  // A problem of the server's keeps its code; what a proxy or another server said becomes BAD_RESPONSE.
  const code = (!ok && json?.code) || 'BAD_RESPONSE'
  throw new BindError(code, json?.detail ?? `Expected JSON, got HTTP status ${status}`, {
    retryable: (status === 429 || status >= 500) && !FINAL_CODES.includes(code),
    retryAfterMs: parseRetryAfter(headers.get('Retry-After')),
    triesLeft: json?.triesLeft,
    requestId: json?.requestId,
  })
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** A clock that is weeks off makes a date mean weeks, and a timer of weeks would fire at once. */
const LONGEST_MS = 3_600_000

/** Seconds or a date, as RFC 9110 has it. */
function parseRetryAfter(value: string | null): number | undefined {
  const ms = Number(value) * 1000 || Date.parse(value ?? '') - Date.now()
  return ms > 0 ? Math.min(ms, LONGEST_MS) : undefined
}
