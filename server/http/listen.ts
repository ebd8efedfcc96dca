/** Opens the listening socket and closes it in order. NODE. */
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import { type AddressInfo, Server as TcpServer } from 'node:net'
import { getRequestListener } from '@hono/node-server'
import type { Intercept } from './node-listener.ts'
import { limitPipelining } from './pipelining.ts'

/** A Hono app fits as it is. */
export type Fetching = { fetch: (request: Request, bindings: object) => Response | Promise<Response> }

export type Listening = { server: Server; url: string }

/** `intercept` is offered every request before the app. */
export type ListenOptions = Partial<typeof serverOptions> & { maxConnections?: number; intercept?: Intercept }

const serverOptions = {
  // A whole request is a few KiB: a client that needs longer only holds a socket.
  headersTimeout: 10_000,
  requestTimeout: 15_000,
  connectionsCheckingInterval: 2_000,
  // Longer than the 60 s of nginx and cloud load balancers: when they close first, no request is in flight to a closed socket.
  keepAliveTimeout: 65_000,
  // As `Headers` does: a repeated header has the same value for an intercepted endpoint as for the app.
  joinDuplicateHeaders: true,
}

/** Listens on `host` (undefined: every interface) and `port` (0: a free one). The URL is valid on this machine. */
export async function startListening(
  { fetch }: Fetching,
  host: string | undefined,
  port: number,
  { maxConnections = Infinity, intercept, ...options }: ListenOptions = {},
): Promise<Listening> {
  const toApp = getRequestListener(fetch, host === undefined ? {} : { hostname: host })
  const server = createServer({ ...serverOptions, ...options }, (request, response) => {
    if (!intercept?.(request, response)) void toApp(request, response)
  })
  server.maxConnections = maxConnections
  limitPipelining(server)
  // An idle connection makes room for a new one.
  server.on('drop', () => server.closeIdleConnections())
  server.listen(port, host)
  await once(server, 'listening')
  const { port: taken } = server.address() as AddressInfo
  // "Every interface" is an address to listen on, not one to call.
  const isEvery = host === undefined || host === '0.0.0.0' || host === '::'
  const name = isEvery ? '127.0.0.1' : host.includes(':') ? `[${host}]` : host
  return { server, url: `http://${name}:${taken}` }
}

// Requests that were in flight when the stop began arrive within this time, and are answered.
const GRACE_MS = 200

// Then open sockets are cut, so that the process ends within the 5 s that an orchestrator grants.
const CUT_AFTER_MS = 3_500

/** Accepts no new connections, answers the requests on existing ones, and resolves when the last connection is closed. */
export async function stopListening(server: Server): Promise<void> {
  const closed = once(server, 'close')
  server.prependListener('request', (_, response) => response.setHeader('Connection', 'close'))
  // Not `server.close()`: it cuts idle connections at once, with requests in flight on them.
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
