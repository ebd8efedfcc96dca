/** Opens the listening socket and closes it in order. Node only. */
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { type AddressInfo, Server as TcpServer } from 'node:net'
import { getRequestListener } from '@hono/node-server'
import type { Intercept } from './node-listener.ts'
import { limitPipelining } from './pipelining.ts'
import { inTurns } from './turns.ts'

/** A Hono app has this type. */
export type Fetching = { fetch: (request: Request, bindings: object) => Response | Promise<Response> }

export type Listening = { server: Server; url: string }

/** `intercept` gets every request before the app. */
export type ListenOptions = Partial<typeof serverOptions> & { maxConnections?: number; intercept?: Intercept }

const serverOptions = {
  // A whole request is a few KiB. A slower client would only occupy a socket.
  headersTimeout: 10_000,
  requestTimeout: 15_000,
  connectionsCheckingInterval: 2_000,
  // This is longer than the 60 s after which nginx and cloud load balancers close an idle connection. If this server closed the
  // connection first, the proxy could send a request to a socket that was just closed.
  keepAliveTimeout: 65_000,
  // `Headers` joins repeated headers too, so an intercepted endpoint gets the same value as the app.
  joinDuplicateHeaders: true,
}

// The number of connections that may wait until the server accepts them. After a restart, all pages connect at once. The kernel drops
// each further connection, and the client tries again after 1, 3 and 7 s. Node's default is 511. Linux allows at most
// `net.core.somaxconn`, by default 4,096.
const BACKLOG = 4_096

/** Listens on `host` (undefined: all interfaces) and `port` (0: any free port). The returned URL is valid on this machine. */
export async function startListening(
  { fetch }: Fetching,
  host: string | undefined,
  port: number,
  { maxConnections = Infinity, intercept, ...options }: ListenOptions = {},
): Promise<Listening> {
  const toApp = getRequestListener(fetch, host === undefined ? {} : { hostname: host })
  const begin = inTurns((request: IncomingMessage, response: ServerResponse) => {
    // The client has disconnected, and no event of the request would follow.
    if (request.destroyed) return
    if (!intercept?.(request, response)) void toApp(request, response)
  })
  const server = createServer({ ...serverOptions, ...options }, begin)
  server.maxConnections = maxConnections
  limitPipelining(server)
  // Idle connections are closed, so that a new client can connect.
  server.on('drop', () => server.closeIdleConnections())
  server.listen({ port, host, backlog: BACKLOG })
  await once(server, 'listening')
  const { port: taken } = server.address() as AddressInfo
  // The address for "all interfaces" cannot be called, so the URL has the loopback address.
  const isEvery = host === undefined || host === '0.0.0.0' || host === '::'
  const name = isEvery ? '127.0.0.1' : host.includes(':') ? `[${host}]` : host
  return { server, url: `http://${name}:${taken}` }
}

// Requests that were sent before the stop arrive within this time, and are answered.
const GRACE_MS = 200

// After this time open sockets are closed, so that the process exits within the 5 s that an orchestrator allows.
const CUT_AFTER_MS = 3_500

/** Accepts no new connections, answers the requests on existing ones, and resolves when the last connection is closed. */
export async function stopListening(server: Server): Promise<void> {
  const closed = once(server, 'close')
  server.prependListener('request', (_, response) => response.setHeader('Connection', 'close'))
  // `server.close()` of `node:http` would close idle connections at once, and requests that are on their way would be lost.
  TcpServer.prototype.close.call(server)
  const graceUntil = performance.now() + GRACE_MS
  const idle = setInterval(() => performance.now() >= graceUntil && server.closeIdleConnections(), 20)
  const cut = setTimeout(() => server.closeAllConnections(), CUT_AFTER_MS)
  await closed
  clearInterval(idle)
  clearTimeout(cut)
  // Stops the timer of `connectionsCheckingInterval`.
  server.close()
}
