/** Gives every request an id, which is in its log lines, in a header of its answer, and in the body of a refusal. */
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
    /** The route that answered. Unset if it is the last route that Hono matched. */
    route: string
  }
}

export const REQUEST_ID = 'X-Request-Id'

/** The user's opaque name. With it the tabs of a browser share one poll, and the element notices a token of another user. */
export const USER_NAME = 'Bind-User'

// Matches the ids of nginx, Caddy, Envoy and cloud load balancers. A matching id is short and cannot break a log line.
const VALID = /^[\w.-]{8,128}$/

/** The status that nginx logs if the client closed the connection before the answer, for example because the page was closed. */
export const CLIENT_GONE = 499

export type Logging = { log: Log; metrics: Metrics; trustProxy: boolean }

/**
 * Logs one line for each request, with level `info` if the request was refused, otherwise `debug`. The line names the route. It
 * does not contain the path or the query, because they may contain secrets.
 */
export function logRequests(logging: Logging): MiddlewareHandler {
  return async (c, next) => {
    const entry = new LogEntry(logging, c.req.header(REQUEST_ID), c.req.method)
    c.set('requestId', entry.requestId)
    await next()
    const user = c.res.headers.get(USER_NAME) ?? undefined
    entry.report(routeOf(c.get('route') ?? routePath(c, -1)), c.res.status, c.get('refusal'), user)
  }
}

/** Reports one request to the log and the metrics. Has no reference to the request, because a deferred answer keeps the entry. */
export class LogEntry {
  readonly requestId: string
  readonly #logging: Logging
  readonly #method: string
  readonly #startedAt = performance.now()

  /** Uses the `given` id only behind a trusted proxy, because any other client could forge an id. */
  constructor(logging: Logging, given: string | undefined, method: string) {
    this.requestId = logging.trustProxy && given !== undefined && VALID.test(given) ? given : newRequestId()
    this.#logging = logging
    this.#method = method
  }

  /** `user` is the answer's `Bind-User`. */
  report(route: string, status: number, code: ErrorCode | undefined, user: string | undefined): void {
    const { metrics, log } = this.#logging
    const { requestId } = this
    const seconds = (performance.now() - this.#startedAt) / 1000
    metrics.countRequest(route, status, seconds, code)
    const ms = Math.round(seconds * 1000)
    const fields = { requestId, method: this.#method, route, status, ms, ...(code && { code }), ...(user && { user }) }
    if (status < 400 || status === CLIENT_GONE) log.debug(fields, 'answered')
    else log.info(fields, 'refused')
  }
}

/** Makes 32 hex digits, as nginx does. V8 stores a `randomUUID` as 14 strings until it is sent: 400 bytes per waiting page. */
const newRequestId = () => takeRandom(16).toString('hex')

/**
 * Returns the route's pattern, or `none` if the pattern ends with `*`. With such a pattern, only middleware or a fallback has
 * matched.
 */
const routeOf = (pattern: string) => (pattern.endsWith('*') ? 'none' : pattern)
