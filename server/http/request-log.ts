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

export const REQUEST_ID = 'X-Request-Id'

// Fits the ids of nginx, Caddy, Envoy and cloud load balancers; cannot break a log line or fill it.
const VALID = /^[\w.-]{8,128}$/

/** nginx's status for a client that closed the connection before the answer, such as a page that was closed. */
export const CLIENT_GONE = 499

export type Logging = { log: Log; metrics: Metrics; trustProxy: boolean }

/**
 * Writes one line for a request: `debug`, or `info` if it was refused. It names the route and never the path or the query,
 * which may contain secrets.
 */
export function logRequests(logging: Logging): MiddlewareHandler {
  return async (c, next) => {
    const entry = new LogEntry(logging, c.req.header(REQUEST_ID), c.req.method)
    c.set('requestId', entry.requestId)
    await next()
    entry.report(routeOf(c.get('route') ?? routePath(c, -1)), c.res.status, c.get('refusal'))
  }
}

/** One request in the log and the metrics. Holds no request: a deferred answer keeps its entry. */
export class LogEntry {
  readonly requestId: string
  readonly #logging: Logging
  readonly #method: string
  readonly #startedAt = performance.now()

  /** Keeps the `given` id only behind a trusted proxy: others could forge one. */
  constructor(logging: Logging, given: string | undefined, method: string) {
    this.requestId = logging.trustProxy && given !== undefined && VALID.test(given) ? given : newRequestId()
    this.#logging = logging
    this.#method = method
  }

  report(route: string, status: number, code: ErrorCode | undefined): void {
    const { metrics, log } = this.#logging
    const { requestId } = this
    const seconds = (performance.now() - this.#startedAt) / 1000
    metrics.countRequest(route, status, seconds, code)
    const ms = Math.round(seconds * 1000)
    const fields = { requestId, method: this.#method, route, status, ms, ...(code && { code }) }
    if (status < 400 || status === CLIENT_GONE) log.debug(fields, 'answered')
    else log.info(fields, 'refused')
  }
}

/** 32 hex digits, as nginx makes them. V8 keeps a `randomUUID` in fourteen strings until it is sent: 400 bytes a waiting page. */
const newRequestId = () => takeRandom(16).toString('hex')

/** The route's pattern; `none` for a pattern that ends with `*`: only middleware or a fallback has matched. */
const routeOf = (pattern: string) => (pattern.endsWith('*') ? 'none' : pattern)
