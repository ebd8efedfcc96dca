/** Makes endpoints for pages, with CORS, a widget token in `Authorization`, the user's name in `Bind-User`, and problem details. */

import { parseJson, type Scope } from '../api/request-schemas.ts'
import { refuseTestUser } from '../binding/test-users.ts'
import { BindError } from '../errors.ts'
import type { Principal, PrincipalOf } from '../keys/token-cache.ts'
import type { Log } from '../platform.ts'
import type { Warn } from '../telemetry/warnings.ts'
import type { Answer } from './answer.ts'
import { ADDRESS_HEADERS } from './base-url.ts'
import type { Body } from './body-limit.ts'
import { createCors } from './cors.ts'
import { type DeferredAnswer, withHeaders } from './deferred-response.ts'
import type { Endpoint, EndpointRequest } from './endpoint.ts'
import { notFound, refuseWithProblem, toBindError } from './problem.ts'
import { REQUEST_ID, USER_NAME } from './request-log.ts'

const REQUEST_HEADERS = ['Authorization', 'Content-Type', 'If-None-Match', 'Prefer']

// `Accept-Language` is sent without a preflight, so CORS need not allow it.
const READ = ['authorization', 'origin', 'if-none-match', 'prefer', 'accept-language', ...ADDRESS_HEADERS]

/**
 * Seconds: the time over which the pages should spread their polls after they have lost this server. The element waits a random part of
 * it. Sent only with many waiting pages, because few pages may all return at once.
 */
const RECONNECT = 'Bind-Reconnect'

// After a restart each page opens a new connection with a token that the server does not know: 0.5 to 0.6 ms of CPU, several times the
// cost of a further poll.
const RECONNECTS_A_SECOND = 1_200

type PageDeps = {
  allowedOrigins: string[]
  allowsTestUsers: boolean
  principalOf: PrincipalOf
  waiters: { count(): number }
  log: Log
  warn: Warn
}

/** If it throws, the page gets the error as problem details. */
export type PageHandler = (
  request: EndpointRequest,
  principal: Principal,
  body: Body,
) => Promise<Answer | DeferredAnswer>

type PageEndpoints = {
  endpoint(method: 'GET' | 'POST' | 'DELETE', path: string, maxBody: number, handle: PageHandler): Endpoint
  /** Answers preflights below a path pattern, and 404 to other requests. Add it after the endpoints. */
  fallback(path: string, maxBody: number): Endpoint
}

export function createPageEndpoints(deps: PageDeps): PageEndpoints {
  const { allowedOrigins, allowsTestUsers, principalOf, waiters, log, warn } = deps
  const cors = createCors({
    origins: allowedOrigins,
    methods: ['GET', 'POST', 'DELETE'],
    requestHeaders: REQUEST_HEADERS,
    exposedHeaders: ['ETag', 'Retry-After', REQUEST_ID, USER_NAME, RECONNECT],
  })
  const toProblem = refuseWithProblem(log)

  async function authenticate(authorization: string | undefined): Promise<Principal> {
    const [, jwe = ''] = /^Bearer (\S+)$/i.exec(authorization ?? '') ?? []
    const principal = await principalOf(jwe)
    if (!allowsTestUsers) refuseTestUser(principal.identity.userId)
    return principal
  }

  const refuse = (error: BindError, request: EndpointRequest): Answer =>
    withHeaders(toProblem(error, request), cors.headersFor(request.headers.origin))

  async function answer(request: EndpointRequest, body: Body, handle: PageHandler): Promise<Answer | DeferredAnswer> {
    const principal = await authenticate(request.headers.authorization)
    const headers: Record<string, string> = {
      ...cors.headersFor(request.headers.origin),
      [USER_NAME]: principal.name,
    }
    const reconnect = Math.floor(waiters.count() / RECONNECTS_A_SECOND)
    if (reconnect > 0) headers[RECONNECT] = String(reconnect)
    try {
      return withHeaders(await handle(request, principal, body), headers)
    } catch (thrown) {
      return withHeaders(toProblem(toBindError(thrown), request), headers)
    }
  }

  /**
   * A page of another origin sends a preflight before every call. A page of the server's own origin sends no preflight. So an
   * unlisted origin here is worth a warning.
   */
  function preflight(origin: string | undefined): Answer {
    if (origin !== undefined && !allowedOrigins.includes(origin)) warn('origin', { origin: toLogged(origin) })
    return cors.preflight(origin)
  }

  return {
    endpoint: (method, path, maxBody, handle) => ({
      method,
      path,
      headers: READ,
      maxBody,
      answer: (request, body) => answer(request, body, handle),
      refuse,
    }),
    fallback: (path, maxBody) => ({
      method: 'ALL',
      path,
      headers: READ,
      maxBody,
      async answer(request, body) {
        if (request.method === 'OPTIONS') return preflight(request.headers.origin)
        return answer(request, body, () => Promise.reject(notFound()))
      },
      refuse,
    }),
  }
}

/** Throws `FORBIDDEN` unless the widget token has the scope. */
export function permitted(principal: Principal, scope: Scope): Principal {
  if (principal.scope.includes(scope)) return principal
  throw new BindError('FORBIDDEN', `The widget token's scope does not include "${scope}": make a token with it.`)
}

const decoder = new TextDecoder()

/** Parses a body. An empty body counts as an empty object. Throws `BAD_REQUEST`. */
export const toJson = (body: Body): unknown => (body.length === 0 ? {} : parseJson(decoder.decode(body)))

/** Logs the value only if it is an origin and short, because any client can send this header. */
const toLogged = (origin: string) =>
  origin.length <= 200 && URL.parse(origin)?.origin === origin ? origin : 'not an origin'
