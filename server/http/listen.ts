/** A listening socket for a fetch handler, and its orderly end. NODE. */
import { once } from 'node:events'
import { createServer, type RequestListener, type Server, type ServerOptions, type ServerResponse } from 'node:http'
import { type AddressInfo, Server as TcpServer } from 'node:net'
import { serve as listen } from '@hono/node-server'
import type { Hono } from 'hono'
import type { Intercept } from './node-listener.ts'

export type Bindings = { outgoing: ServerResponse }
export type Fetching = { fetch: (request: Request, bindings: Bindings) => Response | Promise<Response> }

export type Listening = { server: Server; url: string }

/** `intercept` is offered each request before the app. */
export type ListenOptions = Partial<typeof serverOptions> & { maxConnections?: number; intercept?: Intercept }

/** The app with nothing around it that would miss the end of a request: its late answers go straight to the socket. */
export const overSockets = (app: Hono): Fetching => ({
  fetch: (request, bindings) => app.fetch(request, { ...bindings, late: bindings.outgoing }),
})

// Whole requests are a few KiB: who needs longer for one holds a socket and sends nothing.
const serverOptions = {
  headersTimeout: 10_000,
  requestTimeout: 15_000,
  connectionsCheckingInterval: 2_000,
  // Longer than the 60 s after which nginx and the clouds' balancers close: the end that closes first meets no request on its way.
  keepAliveTimeout: 65_000,
}

/** Serves on host (undefined: every interface) and port; port 0 takes a free one. The URL reaches it from this machine. */
export async function startListening(
  app: Fetching,
  host: string | undefined,
  port: number,
  { maxConnections = Infinity, intercept, ...options }: ListenOptions = {},
): Promise<Listening> {
  const server = listen({
    fetch: app.fetch as (request: Request, bindings: object) => Response | Promise<Response>,
    port,
    serverOptions: { ...serverOptions, ...options },
    ...(intercept && { createServer: interceptedBy(intercept) }),
    ...(host === undefined ? {} : { hostname: host }),
  }) as Server
  server.maxConnections = maxConnections
  // Who only keeps a connection makes room for who wants one.
  server.on('drop', () => server.closeIdleConnections())
  await once(server, 'listening')
  const { port: taken } = server.address() as AddressInfo
  // "Every interface" is where to listen, not where to call.
  const isEvery = host === undefined || host === '0.0.0.0' || host === '::'
  const name = isEvery ? '127.0.0.1' : host.includes(':') ? `[${host}]` : host
  return { server, url: `http://${name}:${taken}` }
}

const interceptedBy = (intercept: Intercept) =>
  ((options: ServerOptions, listener: RequestListener) =>
    createServer(options, (request, response) => {
      if (!intercept(request, response)) listener(request, response)
    })) as typeof createServer

// Within this what was on its way when we stopped arrives, and is answered.
const GRACE_MS = 200

// After this the sockets that still talk are cut, so that the process ends within the 5 s an orchestrator grants.
const CUT_AFTER_MS = 3_500

/** Accepts no more, answers what comes over the connections there are, and resolves when the last is closed. */
export async function stopListening(server: Server): Promise<void> {
  const closed = once(server, 'close')
  server.prependListener('request', (_, response) => response.setHeader('Connection', 'close'))
  // Not `server.close()`, which cuts idle connections at once, with whatever is on its way over them.
  TcpServer.prototype.close.call(server)
  const graceUntil = performance.now() + GRACE_MS
  const idle = setInterval(() => performance.now() >= graceUntil && server.closeIdleConnections(), 20)
  const cut = setTimeout(() => server.closeAllConnections(), CUT_AFTER_MS)
  await closed
  clearInterval(idle)
  clearTimeout(cut)
  // Ends its own timer.
  server.close()
}
