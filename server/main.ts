/** The server process: environment in, a listening socket out, everything closed on SIGTERM and SIGINT. NODE. */
import { once } from 'node:events'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { serve as listen } from '@hono/node-server'
import { pino } from 'pino'
import { collectDefaultMetrics } from 'prom-client'
import { type Env, parseConfig } from './config.ts'
import { openApp } from './open-app.ts'

export type Running = {
  url: string
  /** Stops accepting, answers every waiter, finishes callbacks, closes the store. */
  close(): Promise<void>
}

// After this the sockets that still talk are cut, so that the process ends within the 5 s an orchestrator grants.
const CLOSE_WITHIN_MS = 4_000

type Fetching = { fetch: (request: Request) => Response | Promise<Response> }

/** Serves on host (undefined: every interface) and port; port 0 takes a free one. The URL reaches it from this machine. */
export async function startListening(
  app: Fetching,
  host: string | undefined,
  port: number,
): Promise<{ server: Server; url: string }> {
  const server = listen({ fetch: app.fetch, port, ...(host === undefined ? {} : { hostname: host }) }) as Server
  await once(server, 'listening')
  const { port: taken } = server.address() as AddressInfo
  // "Every interface" is where to listen, not where to call.
  const isEvery = host === undefined || host === '0.0.0.0' || host === '::'
  const name = isEvery ? '127.0.0.1' : host.includes(':') ? `[${host}]` : host
  return { server, url: `http://${name}:${taken}` }
}

/** Resolves when the last connection is closed; idle ones are closed as they fall idle. */
export async function stopListening(server: Server): Promise<void> {
  const closed = once(server, 'close')
  server.close()
  const idle = setInterval(() => server.closeIdleConnections(), 20)
  const cut = setTimeout(() => server.closeAllConnections(), CLOSE_WITHIN_MS)
  await closed
  clearInterval(idle)
  clearTimeout(cut)
}

/** Throws `BAD_CONFIG` before it opens or listens. */
export async function startServer(env: Env): Promise<Running> {
  const config = parseConfig(env)
  const log = pino({ level: config.logLevel })
  const { app, deps, stopWaiting, close } = await openApp(config, { log })
  // The process is all ours here: its memory, its CPU, how far its event loop lags behind.
  collectDefaultMetrics({ register: deps.metrics.registry })
  const { server, url } = await startListening(app, config.host, config.port)
  log.info({ url, callback: `${config.publicUrl ?? url}/wechat/callback` }, 'wechat-bind listens')
  return {
    url,
    async close() {
      const stopped = stopListening(server)
      stopWaiting()
      await stopped
      await close()
      log.info({}, 'wechat-bind has stopped')
    },
  }
}

/** Runs `close` once on the first SIGTERM or SIGINT, then lets the process end. */
export function closeOnSignal(close: () => Promise<void>): void {
  const stop = () => {
    process.off('SIGTERM', stop).off('SIGINT', stop)
    close().then(
      () => process.exit(0),
      () => process.exit(1),
    )
  }
  process.on('SIGTERM', stop).on('SIGINT', stop)
}
