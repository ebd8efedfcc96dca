/** Every request has an id: in the log's lines, in the answer's header and in a refusal's body, so that a report finds its cause. */
import type { MiddlewareHandler } from 'hono'
import { routePath } from 'hono/route'
import { takeRandom } from '../crypto.ts'
import type { ErrorCode } from '../errors.ts'
import type { Log } from '../platform.ts'
import type { Metrics } from '../telemetry/metrics.ts'

declare module 'hono' {
  interface ContextVariableMap {
    requestId: string
    /** Why the request was refused, where it was. */
    refusal: ErrorCode
    /** To be called by who answers later, past the middlewares. */
    report: Report
  }
}

export type Report = (route: string, status: number, code: ErrorCode | undefined) => void

export const REQUEST_ID = 'X-Request-Id'

// What nginx, Caddy, Envoy and the clouds make; nothing that could break out of a line or fill it.
const VALID = /^[\w.-]{8,128}$/

/** nginx's word for a client that hung up before it was answered: a page that was closed. */
export const GONE = 499

export type Logging = { log: Log; metrics: Metrics; trustProxy: boolean }

/**
 * One line for a request: `debug`, or `info` when it was refused. It names the route, never the path or the query, which are the
 * sender's. An id that came with the request is kept only behind a trusted proxy: from anyone else it could be another's.
 */
export function logRequests(logging: Logging): MiddlewareHandler {
  return async (c, next) => {
    const { requestId, report } = openReport(logging, c.req.header(REQUEST_ID), c.req.method)
    c.set('requestId', requestId)
    c.set('report', report)
    await next()
    report(routeOf(routePath(c, -1)), c.res.status, c.get('refusal'))
  }
}

/** The id, and what counts and logs the answer: it knows nothing of the request but this, since an answer that is given later keeps it. */
export function openReport(
  logging: Logging,
  given: string | string[] | undefined,
  method: string,
): { requestId: string; report: Report } {
  const requestId = logging.trustProxy && typeof given === 'string' && VALID.test(given) ? given : newRequestId()
  const startedAt = performance.now()
  const report: Report = (route, status, code) => {
    const seconds = (performance.now() - startedAt) / 1000
    logging.metrics.countRequest(route, status, seconds, code)
    const fields = { requestId, method, route, status, ms: Math.round(seconds * 1000), ...(code && { code }) }
    if (status < 400 || status === GONE) logging.log.debug(fields, 'answered')
    else logging.log.info(fields, 'refused')
  }
  return { requestId, report }
}

/** As nginx makes them. V8 keeps a `randomUUID` in fourteen pieces of 32 bytes until it is sent, which a page that waits pays for. */
const newRequestId = () => takeRandom(16).toString('hex')

/** A handler's pattern; what only middleware has matched is nobody's route. */
const routeOf = (pattern: string) => (pattern.endsWith('*') ? 'none' : pattern)
