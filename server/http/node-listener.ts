/**
 * Endpoints straight from Node's server, where the process serves by itself: by Hono and node-server a delivery that is not ours
 * takes 37 us of the processor, and so 26. NODE.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { commonHeaders } from './answer.ts'
import type { Endpoint } from './endpoint.ts'
import { tooLarge } from './problem.ts'
import { type Logging, openReport, REQUEST_ID } from './request-log.ts'

/** Takes the request, or leaves it to others. */
export type Intercept = (request: IncomingMessage, response: ServerResponse) => boolean

export function endpointListener(endpoints: Endpoint[], logging: Logging): Intercept {
  const byPath = new Map(endpoints.map((endpoint) => [endpoint.path, endpoint]))

  async function answer(
    { path, maxBody, answer, refuse }: Endpoint,
    request: IncomingMessage,
    response: ServerResponse,
    search: string,
  ): Promise<void> {
    const { requestId, report } = openReport(logging, request.headers[REQUEST_ID.toLowerCase()], 'POST')
    const contentType = request.headers['content-type']
    const { status, headers, body, refusal } = await readBody(request, maxBody).then(
      (body) => answer({ path, search, body, contentType }, requestId),
      (error) => refuse(error, requestId),
    )
    report(path, status, refusal)
    if (response.destroyed) return
    // With its length it goes out as one piece.
    const length = body === null ? 0 : Buffer.byteLength(body)
    response.writeHead(status, { ...commonHeaders(requestId), ...headers, 'Content-Length': length })
    response.end(body)
  }

  return (request, response) => {
    const { method, url = '' } = request
    const end = url.indexOf('?')
    const endpoint = method === 'POST' && byPath.get(end < 0 ? url : url.slice(0, end))
    if (!endpoint) return false
    void answer(endpoint, request, response, end < 0 ? '' : url.slice(end))
    return true
  }
}

/** Throws `TOO_LARGE`, before it is read where its length is told. */
function readBody(request: IncomingMessage, maxBody: number): Promise<Uint8Array<ArrayBuffer>> {
  return new Promise((resolve, reject) => {
    // In chunks there is no length to be told.
    if (Number(request.headers['content-length'] ?? 0) > maxBody) return reject(tooLarge())
    const chunks: Buffer<ArrayBuffer>[] = []
    let length = 0
    request
      .on('data', (chunk: Buffer<ArrayBuffer>) => {
        length += chunk.length
        if (length <= maxBody) return chunks.push(chunk)
        request.pause()
        reject(tooLarge())
      })
      .on('end', () => resolve(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks)))
      .on('error', reject)
  })
}
