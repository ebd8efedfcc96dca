/** Every request has an id: in the log lines, in the answer's header and in the body of a refusal. A bug report leads to its cause. */
import type { MiddlewareHandler } from 'hono'
import { routePath } from 'hono/route'
import { takeRandom } from '../crypto.ts'
import type { ErrorCode } from '../errors.ts'
import type { Log } from '../platform.ts'
import type { Metrics } from '../telemetry/metrics.ts'

declare module 'hono' {
  interface ContextVariableMap {
    requestId: string
    /** The error code of a refusal. */
    refusal: ErrorCode
    /** The route that answered; unset where Hono's last matched route is the one. */
    route: string
  }
}

export type Report = (route: string, status: number, code: ErrorCode | undefined) => void

export const REQUEST_ID = 'X-Request-Id'

// Fits the ids of nginx, Caddy, Envoy and cloud load balancers; cannot break a log line or fill it.
const VALID = /^[\w.-]{8,128}$/

/** nginx's status for a client that closed the connection before the answer, such as a page that was closed. */
export const CLIENT_GONE = 499

export type Logging = { log: Log; metrics: Metrics; trustProxy: boolean }

/**
 * Writes one line for a request: `debug`, or `info` if it was refused. It names the route and never the path or the query,
 * which may contain secrets. Keeps an id that came with the request only behind a trusted proxy: others could forge one.
 */
export function logRequests(logging: Logging): MiddlewareHandler {
  return async (c, next) => {
    const { requestId, report } = openReport(logging, c.req.header(REQUEST_ID), c.req.method)
    c.set('requestId', requestId)
    await next()
    report(routeOf(c.get('route') ?? routePath(c, -1)), c.res.status, c.get('refusal'))
  }
}

/** The id, and the function that counts and logs the answer. It captures no request: a deferred answer keeps it. */
export function openReport(
  logging: Logging,
  given: string | undefined,
  method: string,
): { requestId: string; report: Report } {
  const requestId = logging.trustProxy && given !== undefined && VALID.test(given) ? given : newRequestId()
  const startedAt = performance.now()
  const report: Report = (route, status, code) => {
    const seconds = (performance.now() - startedAt) / 1000
    logging.metrics.countRequest(route, status, seconds, code)
    const fields = { requestId, method, route, status, ms: Math.round(seconds * 1000), ...(code && { code }) }
    if (status < 400 || status === CLIENT_GONE) logging.log.debug(fields, 'answered')
    else logging.log.info(fields, 'refused')
  }
  return { requestId, report }
}

/** 32 hex digits, as nginx makes them. V8 keeps a `randomUUID` in fourteen strings until it is sent: 400 bytes a waiting page. */
const newRequestId = () => takeRandom(16).toString('hex')

/** The route's pattern; `none` for a pattern that ends with `*`: only middleware or a fallback has matched. */
const routeOf = (pattern: string) => (pattern.endsWith('*') ? 'none' : pattern)
