/**
 * An endpoint: a function from the plain values of a request to an answer, now or later. It knows nothing of the server that
 * calls it. Two adapters serve it with the same headers, log lines and metrics: `hono-routes.ts` in the Hono app, which teams
 * mount in a server of their own, and `node-listener.ts` on Node's own http server, for `serve`.
 */
import type { BindError } from '../errors.ts'
import type { Answer } from './answer.ts'
import type { Body } from './body-limit.ts'
import type { DeferredAnswer } from './deferred-response.ts'
import { toBindError } from './problem.ts'

export type RequestHead = {
  method: string
  path: string
  /** From the `?` on, or empty. */
  search: string
  /** Those that the endpoint declares, by lower-case name. */
  headers: Record<string, string | undefined>
  requestId: string
}

export type EndpointRequest = RequestHead & { body: Body }

export type Endpoint = {
  /** `GET` serves HEAD too. `ALL`, with a path pattern, is for the Hono app: Node's adapter leaves such requests to it. */
  method: 'GET' | 'POST' | 'DELETE' | 'ALL'
  path: string
  /** The request headers that are read, in lower case. */
  headers: readonly string[]
  /** Bytes. 0: the body is not read. */
  maxBody: number
  answer(request: EndpointRequest): Promise<Answer | DeferredAnswer>
  /** The answer when the body cannot be read or `answer` throws. Must not throw. */
  refuse(error: BindError, request: RequestHead): Answer
}

/** Both adapters call an endpoint through this function. Never throws. */
export async function callEndpoint(
  { answer, refuse }: Endpoint,
  head: RequestHead,
  readBody: () => Promise<Body>,
): Promise<Answer | DeferredAnswer> {
  try {
    return await answer({ ...head, body: await readBody() })
  } catch (thrown) {
    const error = toBindError(thrown)
    const answer = refuse(error, head)
    // Node would parse the unread rest of the body as the next request of the connection.
    return error.code === 'TOO_LARGE' ? { ...answer, headers: { ...answer.headers, Connection: 'close' } } : answer
  }
}
