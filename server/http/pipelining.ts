/**
 * Limits the requests in flight on one connection. Node only.
 *
 * HTTP/1.1 allows a client to send requests without waiting for the answers (pipelining). Node parses and starts all of these
 * requests; Node limits only answers that are already written. 107,000 pipelined requests on one socket took 444 MB.
 *
 * Steps: A response that Node has queued behind another response has no socket yet. Such responses are counted for each
 * connection. Above the limit the socket is paused, so that further requests stay in the system's buffers and TCP slows the
 * client down. Below the limit the socket is resumed. Node itself also resumes a socket when a request on it ends. Node emits
 * `resume` before it reads, and the socket is then paused again.
 *
 * What could go wrong: Node passes up to 64 KiB to its parser at a time, and the parser does not stop in between. So up to about
 * 2,500 more requests of the shortest kind are started after the pause. A paused socket does not report that the client has
 * disconnected, but the answers to the queued requests end the pause.
 *
 * Why not a refusal: Answers are sent in order, so a refusal would wait in the queue as well. Browsers and proxies do not use
 * pipelining; the limit costs them one comparison for each request.
 */
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

// Browsers, nginx, Caddy and WeChat send one request at a time. Old HTTP libraries send a few.
export const MAX_PIPELINED = 16

export function limitPipelining(server: Server, limit = MAX_PIPELINED): void {
  const queued = new WeakMap<Socket, number>()

  function countOf(socket: Socket): number {
    const count = queued.get(socket)
    if (count !== undefined) return count
    socket.on('resume', () => (queued.get(socket) ?? 0) > limit && socket.pause())
    return 0
  }

  function queue(socket: Socket, response: ServerResponse): void {
    const count = countOf(socket) + 1
    queued.set(socket, count)
    if (count === limit + 1) socket.pause()
    response.once('close', () => {
      const left = (queued.get(socket) ?? 1) - 1
      queued.set(socket, left)
      if (left === limit) socket.resume()
    })
  }

  server.on('request', ({ socket }: IncomingMessage, response: ServerResponse) => {
    if (response.socket === null) queue(socket, response)
  })
}
