/**
 * An endpoint is a function from the plain values of a request to an answer, which may be deferred. It does not depend on the
 * server that calls it. Two adapters serve endpoints with the same headers, log lines and metrics. `hono-routes.ts` serves them
 * in the Hono app, which teams mount in their own server. `node-listener.ts` serves them on Node's http server, for `serve`.
 */
import type { BindError } from '../errors.ts'
import type { Answer } from './answer.ts'
import { type Body, type BodyBudget, type BodyShare, NO_BODY } from './body-limit.ts'
import type { DeferredAnswer } from './deferred-response.ts'
import { toBindError } from './problem.ts'

/** A request without its body. */
export type EndpointRequest = {
  method: string
  path: string
  /** The query with its `?`, or an empty string. */
  search: string
  /** The headers that the endpoint declares, by lower-case name. */
  headers: Record<string, string | undefined>
  requestId: string
}

export type Endpoint = {
  /** `GET` serves HEAD too. `ALL` needs a path pattern, and only the Hono app serves it: Node's adapter leaves it to the app. */
  method: 'GET' | 'POST' | 'DELETE' | 'ALL'
  path: string
  /** The request headers that are read, in lower case. */
  headers: readonly string[]
  /** In bytes. With 0 the body is not read, and `answer` gets an empty body. */
  maxBody: number
  /**
   * Limits the bodies of all requests together. The limit is needed if `maxBody` times the number of connections is too much
   * memory.
   */
  budget?: BodyBudget
  answer(request: EndpointRequest, body: Body): Promise<Answer | DeferredAnswer>
  /** The answer when the body cannot be read or `answer` throws. Must not throw. */
  refuse(error: BindError, request: EndpointRequest): Answer
}

/** Both adapters call an endpoint through this function. Never throws. */
export async function callEndpoint(
  { maxBody, budget, answer, refuse }: Endpoint,
  request: EndpointRequest,
  readBody: (share: BodyShare | undefined) => Promise<Body>,
): Promise<Answer | DeferredAnswer> {
  const share = budget?.open()
  let isRead = false
  try {
    const body = maxBody === 0 ? NO_BODY : await readBody(share)
    isRead = true
    return await answer(request, body)
  } catch (thrown) {
    const refusal = refuse(toBindError(thrown), request)
    // The connection is closed, because Node would parse the unread rest of the body as the next request.
    return isRead ? refusal : { ...refusal, headers: { ...refusal.headers, Connection: 'close' } }
  } finally {
    share?.release()
  }
}
