/** Faults as RFC 9457 problem details: one shape, one place. */
import type { Context } from 'hono'
import { HTTPException } from 'hono/http-exception'
import { BindError, errorCodes } from '../errors.ts'
import type { Log } from '../platform.ts'
import type { Problem } from '../wire.ts'
import { type Answer, toResponse } from './answer.ts'

export function toProblem(error: BindError, requestId: string): Problem {
  const { code, status, message, triesLeft } = error
  return {
    type: 'about:blank',
    title: errorCodes[code].title,
    status,
    code,
    detail: message,
    requestId,
    ...(triesLeft === undefined ? {} : { triesLeft }),
  }
}

/** Who hangs up in the middle of a body: nobody's failure, and what anybody may do as often as he likes. */
const isBrokenOff = (error: unknown) =>
  error instanceof Error && /^aborted$|^Client connection prematurely closed/.test(error.message)

/** Any fault as a BindError; what was not foreseen is `INTERNAL` and says nothing of its cause. */
export function toBindError(error: unknown): BindError {
  if (error instanceof BindError) return error
  if (error instanceof HTTPException && error.status === 413) return tooLarge(error)
  if (isBrokenOff(error)) return new BindError('BAD_REQUEST', 'The request broke off.', { cause: 'broken off' })
  return new BindError('INTERNAL', 'The server failed: try again; the cause is in its log.', { cause: error })
}

export const tooLarge = (cause?: unknown) =>
  new BindError('TOO_LARGE', 'The body is larger than any valid request.', { cause })

export function toProblemAnswer(error: BindError, requestId: string): Answer {
  const headers: Record<string, string> = { 'Content-Type': 'application/problem+json' }
  if (error.retryAfterSeconds !== undefined) headers['Retry-After'] = String(error.retryAfterSeconds)
  // What was not read of a body that is too large would be taken for the next request on this connection.
  if (error.code === 'TOO_LARGE') headers.Connection = 'close'
  return { status: error.status, headers, body: JSON.stringify(toProblem(error, requestId)), refusal: error.code }
}

export function answerProblem(c: Context, error: BindError): Response {
  return toResponse(c, toProblemAnswer(error, c.get('requestId')))
}

/** The app's last resort, and its log of what the operator should know. */
export function onError(log: Log) {
  return (thrown: unknown, c: Context): Response => {
    const error = toBindError(thrown)
    logFault(log, c.get('requestId'), error)
    return answerProblem(c, error)
  }
}

/** Refusals are the sender's affair; failures are the operator's. */
export function logFault(log: Log, requestId: string, error: BindError): void {
  // Whoever asks too much must not fill the log as well: those are counted.
  if (error.status < 500 || error.code === 'OVERLOADED') return
  log.error({ requestId, code: error.code, cause: causeOf(error) }, error.message)
}

/** The kind and text of a cause; WeChat's answer as its errcode. A query string never gets in: causes hold none. */
function causeOf({ cause }: BindError): unknown {
  if (cause instanceof Error)
    return { name: cause.name, message: cause.message, code: (cause as { code?: unknown }).code }
  return cause
}
