/**
 * Adapter 2 serves endpoints on Node's own http server, in front of the app. `serve` uses this adapter. Node only.
 *
 * Steps: The adapter refuses a target that the app would normalize (`request-target.ts`). It looks up the method and the path as
 * received, and leaves other routes and preflights to the app. For an endpoint it reads the declared headers and the body, calls
 * the endpoint, and writes the answer in one piece. A deferred answer keeps the `ServerResponse` and the request's `LogEntry`.
 *
 * What could go wrong: This adapter and the app could answer one request differently. `adapters.test.ts` sends the same
 * requests to both and compares the answers.
 *
 * Why: The cheapest callback costs 37 us of CPU, of which Hono and node-server take 11 us. They take a fifth of the CPU of a long-poll.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { type Answer, toHeaders } from './answer.ts'
import { type Body, type BodyShare, brokenOff, createCollector, expectLength } from './body-limit.ts'
import { isDeferred, type WaitingClient, withHeaders } from './deferred-response.ts'
import { callEndpoint, type Endpoint } from './endpoint.ts'
import { notFound, refuseWithProblem } from './problem.ts'
import { CLIENT_GONE, LogEntry, type Logging, REQUEST_ID, USER_NAME } from './request-log.ts'
import { isPlainTarget } from './request-target.ts'

/** Answers the request and returns true, or returns false if another listener must answer the request. */
export type Intercept = (request: IncomingMessage, response: ServerResponse) => boolean

export function interceptEndpoints(endpoints: Endpoint[], logging: Logging): Intercept {
  const routes = new Map(endpoints.map((endpoint) => [`${endpoint.method} ${endpoint.path}`, endpoint]))
  const toProblem = refuseWithProblem(logging.log)

  const toEntry = (request: IncomingMessage): LogEntry =>
    new LogEntry(logging, headerOf(request, REQUEST_ID.toLowerCase()), request.method ?? '')

  function refuseTarget(request: IncomingMessage, response: ServerResponse): void {
    const entry = toEntry(request)
    const answer = toProblem(notFound(), entry)
    entry.report('none', answer.status, answer.refusal, undefined)
    write(response, answer, entry.requestId)
  }

  async function serve(
    endpoint: Endpoint,
    incoming: IncomingMessage,
    response: ServerResponse,
    search: string,
  ): Promise<void> {
    const { path, maxBody } = endpoint
    const { method = '' } = incoming
    const entry = toEntry(incoming)
    const headers: Record<string, string | undefined> = {}
    for (const name of endpoint.headers) headers[name] = headerOf(incoming, name)
    const request = { method, path, search, headers, requestId: entry.requestId }
    const result = await callEndpoint(endpoint, request, (share) => readBody(incoming, maxBody, share))
    if (isDeferred(result)) return result.start(new SocketClient(response, entry, path, result.headers))
    entry.report(path, result.status, result.refusal, result.headers[USER_NAME])
    if (!response.destroyed) write(response, result, entry.requestId)
  }

  return (request, response) => {
    const { method, url = '' } = request
    const queryAt = url.indexOf('?')
    const path = queryAt < 0 ? url : url.slice(0, queryAt)
    const endpoint = routes.get(`${method === 'HEAD' ? 'GET' : method} ${path}`)
    if (!endpoint) {
      if (isPlainTarget(url)) return false
      refuseTarget(request, response)
      return true
    }
    void serve(endpoint, request, response, queryAt < 0 ? '' : url.slice(queryAt))
    return true
  }
}

/** Returns one string even for a repeated header, because the server sets `joinDuplicateHeaders`. */
const headerOf = ({ headers }: IncomingMessage, name: string) => headers[name] as string | undefined

/** A client whose answer is deferred. An object literal with two closures would take 200 bytes more for each page. */
class SocketClient implements WaitingClient {
  readonly #response: ServerResponse
  readonly #entry: LogEntry
  readonly #path: string
  readonly #headers: Record<string, string>

  constructor(response: ServerResponse, entry: LogEntry, path: string, headers: Record<string, string>) {
    this.#response = response
    this.#entry = entry
    this.#path = path
    this.#headers = headers
  }

  send(answer: Answer): void {
    if (this.#response.destroyed) return
    write(this.#response, withHeaders(answer, this.#headers), this.#entry.requestId)
    this.#entry.report(this.#path, answer.status, answer.refusal, this.#headers[USER_NAME])
  }

  onHangUp(listener: () => void): void {
    const hangUp = () => {
      // Node also emits `close` after an answer.
      if (this.#response.headersSent) return
      listener()
      this.#entry.report(this.#path, CLIENT_GONE, undefined, this.#headers[USER_NAME])
    }
    if (this.#response.destroyed) hangUp()
    else this.#response.on('close', hangUp)
  }
}

function write(response: ServerResponse, answer: Answer, requestId: string): void {
  const { status, body } = answer
  const headers: Record<string, string | number> = toHeaders(answer, requestId)
  // With a length the answer is not sent in chunks. An answer to HEAD has no length, as in the app.
  if (body !== null && response.req.method !== 'HEAD') headers['Content-Length'] = Buffer.byteLength(body)
  response.writeHead(status, headers)
  response.end(body ?? undefined)
}

/** Throws `TOO_LARGE`, `OVERLOADED`, or `BAD_REQUEST` if the client disconnects. */
function readBody(request: IncomingMessage, maxBody: number, share: BodyShare | undefined): Promise<Body> {
  // Node's parser refuses a request that has both a length and chunks.
  expectLength(request.headers['content-length'], maxBody)
  return new Promise((resolve, reject) => {
    const collector = createCollector(maxBody, share)
    request
      .on('data', (chunk: Buffer<ArrayBuffer>) => {
        try {
          collector.add(chunk)
        } catch (error) {
          request.pause()
          reject(error)
        }
      })
      .on('end', () => resolve(collector.join()))
      .on('error', () => reject(brokenOff()))
  })
}
