/**
 * Limits the requests in flight on one connection. NODE.
 *
 * HTTP/1.1 allows a client to send requests without waiting for the answers (pipelining). Node parses all of them and starts
 * all of them; its only limit is on answers already written. 107,000 pipelined requests on one socket took 444 MB.
 *
 * Steps: a response that Node has queued behind another one has no socket yet. Such responses are counted for each connection.
 * Above the limit the socket is paused, so that the rest stays in the system's buffers and TCP slows the client down; below it
 * the socket is resumed. Node resumes a socket itself whenever a request on it ends, so the pause is renewed on `resume`, which
 * Node emits before it reads.
 *
 * What could go wrong: Node hands its parser up to 64 KiB at a time and the parser does not stop in between, so one more piece of
 * requests follows the pause: at most some 2,500 of the shortest. A paused socket reports no hang-up; the answers end its wait.
 *
 * Why not a refusal: answers are sent in order, so it would wait in the queue as well. A client without pipelining, which is
 * every browser and proxy, costs one comparison for each request.
 */
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

// Browsers, nginx, Caddy and WeChat send one request at a time; old HTTP libraries a handful.
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
