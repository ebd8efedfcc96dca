/** Every request has an id: in the log's lines, in the answer's header and in a refusal's body, so that a report finds its cause. */
import type { MiddlewareHandler } from 'hono'
import { routePath } from 'hono/route'
import type { ErrorCode } from './errors.ts'
import type { Log } from './log.ts'
import type { Metrics } from './metrics.ts'

declare module 'hono' {
  interface ContextVariableMap {
    requestId: string
    /** Why the request was refused, where it was. */
    refusal: ErrorCode
  }
}

export const REQUEST_ID = 'X-Request-Id'

// What nginx, Caddy, Envoy and the clouds make; nothing that could break out of a line or fill it.
const VALID = /^[\w.-]{8,128}$/

type RequestLogDeps = { log: Log; metrics: Metrics; trustProxy: boolean }

/**
 * One line for a request: `debug`, or `info` when it was refused. It names the route, never the path or the query, which are the
 * sender's. An id that came with the request is kept only behind a trusted proxy: from anyone else it could be another's.
 */
export function logRequests({ log, metrics, trustProxy }: RequestLogDeps): MiddlewareHandler {
  return async (c, next) => {
    const startedAt = performance.now()
    const given = trustProxy ? c.req.header(REQUEST_ID) : undefined
    const requestId = given !== undefined && VALID.test(given) ? given : crypto.randomUUID()
    c.set('requestId', requestId)
    c.header(REQUEST_ID, requestId)
    await next()
    const seconds = (performance.now() - startedAt) / 1000
    const { method } = c.req
    const { status } = c.res
    const route = routeOf(routePath(c, -1))
    const code = c.get('refusal')
    metrics.countRequest(route, status, seconds, code)
    const fields = { requestId, method, route, status, ms: Math.round(seconds * 1000), ...(code && { code }) }
    if (status < 400) log.debug(fields, 'answered')
    else log.info(fields, 'refused')
  }
}

/** A handler's pattern; what only middleware has matched is nobody's route. */
const routeOf = (pattern: string) => (pattern.endsWith('*') ? 'none' : pattern)
