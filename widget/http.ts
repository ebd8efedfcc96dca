/** One JSON request: the answer's value, null for "not modified", or a BindError. Nothing else comes out of it. */
import type { Problem } from '../server/wire.ts'
import { BindError } from './bind-error.ts'

/** `timeoutMs` covers the whole exchange; `signal` ends it early. */
export type JsonRequest = Omit<RequestInit, 'signal'> & { url: string; timeoutMs: number; signal: AbortSignal }

/** Refusals that come with a 5xx and yet will not change by asking again. */
const FINAL_CODES = ['WECHAT_FORBIDDEN', 'BAD_CONFIG']

/** Sends it once. Rejects with the signal's reason when `signal` aborts. */
export async function fetchJson(
  send: typeof fetch,
  { url, timeoutMs, signal, ...init }: JsonRequest,
): Promise<unknown> {
  const controller = new AbortController()
  const abort = () => controller.abort()
  const timer = setTimeout(abort, timeoutMs)
  signal.addEventListener('abort', abort)
  try {
    signal.throwIfAborted()
    return await parseResponse(await send(url, { ...init, signal: controller.signal }))
  } catch (cause) {
    signal.throwIfAborted()
    if (cause instanceof BindError) throw cause
    if (controller.signal.aborted) throw new BindError('TIMEOUT', 'No answer in time', { retryable: true, cause })
    throw new BindError('NETWORK', 'The request did not get through', { retryable: true, cause })
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', abort)
  }
}

async function parseResponse(response: Response): Promise<unknown> {
  if (response.status === 304) return null
  const text = await response.text()
  const json = parseJson(text)
  if (!response.ok) throw toBindError(response, json as Partial<Problem> | undefined)
  if (json === undefined) throw new BindError('BAD_RESPONSE', 'Expected JSON, got something else')
  return json
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** A problem of the server's keeps its code; what a proxy or another server said becomes BAD_RESPONSE. */
function toBindError({ status, headers }: Response, problem?: Partial<Problem>): BindError {
  const code = typeof problem?.code === 'string' ? problem.code : 'BAD_RESPONSE'
  return new BindError(code, problem?.detail ?? problem?.title ?? `HTTP status ${status}`, {
    retryable: (status === 429 || status >= 500) && !FINAL_CODES.includes(code),
    retryAfterMs: parseRetryAfter(headers.get('Retry-After')),
    triesLeft: problem?.triesLeft,
  })
}

/** Seconds or a date, as RFC 9110 has it. */
function parseRetryAfter(value: string | null): number | undefined {
  if (!value) return undefined
  const ms = /^\d+$/.test(value) ? Number(value) * 1000 : Date.parse(value) - Date.now()
  return ms > 0 ? ms : undefined
}
