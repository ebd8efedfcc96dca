/** Errors as RFC 9457 problem details. */
import type { Context } from 'hono'
import { BindError, errorCodes } from '../errors.ts'
import type { Log } from '../platform.ts'
import { toCause } from '../telemetry/cause.ts'
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

/** Turns an unexpected error into `INTERNAL`. Its cause is in the log, not in the answer. */
export function toBindError(error: unknown): BindError {
  if (error instanceof BindError) return error
  return new BindError('INTERNAL', 'The server failed: try again. The server log has the cause.', { cause: error })
}

/** The path is not echoed: it may contain a token or an openid. */
export const notFound = () =>
  new BindError('NOT_FOUND', 'No route for this method and path: /openapi.json lists all routes.')

/** Makes a `refuse` for endpoints. It answers with problem details, and logs failures of the server. */
export function refuseWithProblem(log: Log) {
  return (error: BindError, { requestId }: { requestId: string }): Answer => {
    logFailure(log, requestId, error)
    const headers: Record<string, string> = { 'Content-Type': 'application/problem+json' }
    if (error.retryAfterSeconds !== undefined) headers['Retry-After'] = String(error.retryAfterSeconds)
    return { status: error.status, headers, body: JSON.stringify(toProblem(error, requestId)), refusal: error.code }
  }
}

/** Answers with problem details for the app's other routes. */
export function onError(log: Log) {
  const refuse = refuseWithProblem(log)
  return (thrown: unknown, c: Context): Response =>
    toResponse(c, refuse(toBindError(thrown), { requestId: c.get('requestId') }))
}

/** Logs failures of the server (5xx). Refusals (4xx) are only counted, because the client has to correct the request. */
export function logFailure(log: Log, requestId: string, error: BindError): void {
  // A client that sends too many requests must not fill the log.
  if (error.status < 500 || error.code === 'OVERLOADED') return
  log.error({ requestId, code: error.code, cause: toCause(error.cause) }, error.message)
}
