/** Errors as RFC 9457 problem details. */
import type { Context } from 'hono'
import { BindError, errorCodes } from '../errors.ts'
import type { Log } from '../platform.ts'
import type { Problem } from '../wire.ts'
import { type Answer, toResponse } from './answer.ts'

function toProblem(error: BindError, requestId: string): Problem {
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

/** An unexpected error becomes `INTERNAL`: the answer does not tell its cause, the log does. */
export function toBindError(error: unknown): BindError {
  if (error instanceof BindError) return error
  return new BindError('INTERNAL', 'The server failed: try again; the cause is in its log.', { cause: error })
}

/** The path is not echoed: it may contain a token or an openid. */
export const notFound = () =>
  new BindError('NOT_FOUND', 'No route for this method and path: /openapi.json lists all routes.')

/** `refuse` of an endpoint: the error as problem details, and in the log if the operator should know it. */
export function refuseWithProblem(log: Log) {
  return (error: BindError, { requestId }: { requestId: string }): Answer => {
    logFailure(log, requestId, error)
    const headers: Record<string, string> = { 'Content-Type': 'application/problem+json' }
    if (error.retryAfterSeconds !== undefined) headers['Retry-After'] = String(error.retryAfterSeconds)
    return { status: error.status, headers, body: JSON.stringify(toProblem(error, requestId)), refusal: error.code }
  }
}

/** The same for the app's other routes. */
export function onError(log: Log) {
  const refuse = refuseWithProblem(log)
  return (thrown: unknown, c: Context): Response =>
    toResponse(c, refuse(toBindError(thrown), { requestId: c.get('requestId') }))
}

/** Logs failures of the server (5xx); refusals are the client's to correct and are only counted. */
export function logFailure(log: Log, requestId: string, error: BindError): void {
  // A client that asks too much must not fill the log as well.
  if (error.status < 500 || error.code === 'OVERLOADED') return
  log.error({ requestId, code: error.code, cause: causeOf(error) }, error.message)
}

/** Name, text and code of a cause. It never contains a query string: no error is made with one. */
function causeOf({ cause }: BindError): unknown {
  if (cause instanceof Error)
    return { name: cause.name, message: cause.message, code: (cause as { code?: unknown }).code }
  return cause
}
