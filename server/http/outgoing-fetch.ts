/**
 * Sends the server's own requests: to WeChat, to FORWARD_URL and to webhooks. Node's `fetch` always sends `sec-fetch-mode`, a
 * browser's header, and some firewalls therefore refuse the request as a forged browser. This function uses `node:http` instead and
 * implements the part of `fetch` that the server needs. It follows no redirect. It requests no compression and decompresses no
 * answer. Node only.
 */
import { type ClientRequest, Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'
import { Readable } from 'node:stream'
import type { Fetch } from '../platform.ts'

/** Adds the name of this server to each request that has no `User-Agent` of its own. */
export const withUserAgent =
  (fetch: Fetch, userAgent: string): Fetch =>
  (url, init) =>
    fetch(url, { ...init, headers: { 'User-Agent': userAgent, ...(init?.headers as Record<string, string>) } })

// This time is shorter than the idle limit of common servers and load balancers, so that no request uses a connection that is
// being closed.
const IDLE_MS = 4_000

/** Headers must be a plain record. A body must be text or bytes. With `redirect: 'error'` a redirect is an error, otherwise an answer. */
export function createOutgoingFetch(): Fetch {
  const agents = {
    'http:': new HttpAgent({ keepAlive: true, timeout: IDLE_MS }),
    'https:': new HttpsAgent({ keepAlive: true, timeout: IDLE_MS }),
  }

  return (input, init = {}) =>
    new Promise((resolve, reject) => {
      const url = new URL(input)
      const { method = 'GET', headers, body, redirect, signal } = init
      // Node sends a text and the headers in one write, but bytes in a separate write.
      const content = (body ?? undefined) as string | Uint8Array | undefined
      const isTls = url.protocol === 'https:'
      const request: ClientRequest = (isTls ? httpsRequest : httpRequest)(url, {
        method,
        agent: isTls ? agents['https:'] : agents['http:'],
        headers: {
          Accept: '*/*',
          ...(headers as Record<string, string>),
          ...(content !== undefined && { 'Content-Length': String(Buffer.byteLength(content)) }),
        },
      })
      const fail = (cause: unknown) =>
        reject(signal?.aborted ? signal.reason : new TypeError('fetch failed', { cause }))
      const abort = () => request.destroy(signal?.reason as Error)
      if (signal?.aborted) abort()
      signal?.addEventListener('abort', abort, { once: true })
      request.on('close', () => {
        signal?.removeEventListener('abort', abort)
        // Has no effect after an answer. This handler is needed, because Node reports an answer that changes the protocol (101)
        // neither as an answer nor as an error.
        fail(badAnswer('closed without an answer'))
      })
      request.on('error', fail)
      request.on('response', (incoming) => {
        const { statusCode = 0 } = incoming
        if (redirect === 'error' && statusCode >= 300 && statusCode < 400 && incoming.headers.location) {
          request.destroy()
          return fail(new Error('unexpected redirect'))
        }
        try {
          resolve(toResponse(incoming, statusCode))
        } catch (cause) {
          // The status or a header is not allowed.
          request.destroy()
          fail(badAnswer('not an answer that fetch could return', cause))
        }
      })
      request.end(content)
    })
}

/** The code tells operators more than the name of the error. */
const badAnswer = (message: string, cause?: unknown) =>
  Object.assign(new Error(message, { cause }), { code: 'BAD_ANSWER' })

// With these statuses the Fetch standard allows no body.
const WITHOUT_BODY = [204, 205, 304]

function toResponse(incoming: IncomingMessage, status: number): Response {
  // The status is checked here, because @hono/node-server replaces the global `Response`, and its class checks the status only
  // when the body is read.
  if (status < 200 || status > 599) throw new RangeError(`the answer has the status ${status}`)
  const headers = new Headers()
  for (let i = 0; i < incoming.rawHeaders.length; i += 2)
    headers.append(incoming.rawHeaders[i]!, incoming.rawHeaders[i + 1]!)
  if (WITHOUT_BODY.includes(status)) {
    // The body is not read, because a server may still send a body here, even an endless one.
    incoming.once('data', () => incoming.destroy())
    return new Response(null, { status, headers })
  }
  return new Response(Readable.toWeb(incoming) as ReadableStream<Uint8Array>, { status, headers })
}
