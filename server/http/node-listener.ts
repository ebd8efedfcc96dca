/**
 * Adapter 2: endpoints on Node's own http server, in front of the app, where `serve` owns the process. NODE.
 *
 * Steps: looks up method and path as received; refuses a target that the app would normalize (`request-target.ts`); leaves other
 * routes and preflights to the app; else reads the declared headers and the body, calls the endpoint, and writes the answer
 * with its length in one piece. A deferred answer keeps the `ServerResponse`, the request id and the log's reporter.
 *
 * What could go wrong: this adapter and the app could answer one request differently. `adapters.test.ts` sends the same
 * requests to both and compares the answers.
 *
 * Why: Hono and node-server take 11 us of the 37 us of CPU that the cheapest callback costs, and a fifth of a long-poll's.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { type Answer, toHeaders } from './answer.ts'
import { type Body, type BodyShare, brokenOff, createCollector, expectLength, NO_BODY } from './body-limit.ts'
import { isDeferred, type WaitingClient, withHeaders } from './deferred-response.ts'
import { callEndpoint, type Endpoint } from './endpoint.ts'
import { notFound, refuseWithProblem } from './problem.ts'
import { CLIENT_GONE, type Logging, openReport, REQUEST_ID, type Report } from './request-log.ts'
import { isPlainTarget } from './request-target.ts'

/** Takes the request and returns true, or returns false: another listener must answer it. */
export type Intercept = (request: IncomingMessage, response: ServerResponse) => boolean

export function interceptEndpoints(endpoints: Endpoint[], logging: Logging): Intercept {
  const routes = new Map(endpoints.map((endpoint) => [`${endpoint.method} ${endpoint.path}`, endpoint]))
  const toProblem = refuseWithProblem(logging.log)

  function refuseTarget(request: IncomingMessage, response: ServerResponse): void {
    const { requestId, report } = openReport(logging, headerOf(request, REQUEST_ID.toLowerCase()), request.method ?? '')
    const answer = toProblem(notFound(), { requestId })
    report('none', answer.status, answer.refusal)
    write(response, answer, requestId)
  }

  async function serve(
    endpoint: Endpoint,
    request: IncomingMessage,
    response: ServerResponse,
    search: string,
  ): Promise<void> {
    const { path, maxBody } = endpoint
    const { method = '' } = request
    const { requestId, report } = openReport(logging, headerOf(request, REQUEST_ID.toLowerCase()), method)
    const headers: Record<string, string | undefined> = {}
    for (const name of endpoint.headers) headers[name] = headerOf(request, name)
    const head = { method, path, search, headers, requestId }
    const result = await callEndpoint(endpoint, head, async (share) =>
      maxBody ? readBody(request, maxBody, share) : NO_BODY,
    )
    if (isDeferred(result)) return result.start(toClient(response, path, requestId, result.headers, report))
    report(path, result.status, result.refusal)
    if (!response.destroyed) write(response, result, requestId)
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

/** As one value: `joinDuplicateHeaders` of the server makes it so, as `Headers` does for the app. */
const headerOf = ({ headers }: IncomingMessage, name: string) => headers[name] as string | undefined

/** A function of its own, so that its closures keep nothing else of the request. */
function toClient(
  response: ServerResponse,
  path: string,
  requestId: string,
  headers: Record<string, string>,
  report: Report,
): WaitingClient {
  return {
    send(answer) {
      if (response.destroyed) return
      write(response, withHeaders(answer, headers), requestId)
      report(path, answer.status, answer.refusal)
    },
    onHangUp(listener) {
      const hangUp = () => {
        // Node emits `close` after an answer too.
        if (response.headersSent) return
        listener()
        report(path, CLIENT_GONE, undefined)
      }
      if (response.destroyed) hangUp()
      else response.on('close', hangUp)
    },
  }
}

function write(response: ServerResponse, answer: Answer, requestId: string): void {
  const { status, body } = answer
  const headers: Record<string, string | number> = toHeaders(answer, requestId)
  // With its length the answer is one piece, not chunks. To HEAD the app sends no length either.
  if (body !== null && response.req.method !== 'HEAD') headers['Content-Length'] = Buffer.byteLength(body)
  response.writeHead(status, headers)
  response.end(body ?? undefined)
}

/** Throws `TOO_LARGE`, `OVERLOADED`, and `BAD_REQUEST` when the client hangs up. */
function readBody(request: IncomingMessage, maxBody: number, share: BodyShare | undefined): Promise<Body> {
  // Node's parser refuses a length beside chunks.
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
