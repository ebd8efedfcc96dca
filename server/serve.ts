/** The server process: environment in, a listening socket out, everything closed on SIGTERM and SIGINT. NODE. */
import { pino } from 'pino'
import { collectDefaultMetrics } from 'prom-client'
import { type Env, parseConfig } from './config/config.ts'
import { overSockets, startListening, stopListening } from './http/listen.ts'
import { endpointListener } from './http/node-listener.ts'
import { openApp } from './open-app.ts'
import { createEncryptedApi } from './routes/encrypted-api.ts'
import { createCallback } from './routes/wechat-callback.ts'

export type Running = {
  url: string
  /** Stops accepting, answers every waiter, finishes callbacks, closes the store. */
  close(): Promise<void>
}

// Half a second less than the 5 s that an orchestrator grants before it kills.
const END_AFTER_MS = 4_500

/** Throws `BAD_CONFIG` before it opens or listens. */
export async function startServer(env: Env): Promise<Running> {
  const config = parseConfig(env)
  const log = pino({ level: config.logLevel })
  const { app, deps, stopWaiting, close } = await openApp(config, { log })
  // The process is all ours here: its memory, its CPU, how far its event loop lags behind.
  collectDefaultMetrics({ register: deps.metrics.registry })
  const { host, port, maxConnections } = config
  const intercept = endpointListener([createCallback(deps), ...createEncryptedApi(deps)], deps)
  const { server, url } = await startListening(overSockets(app), host, port, { maxConnections, intercept })
  server.on(
    'drop',
    noteOnce(() => log.warn({ maxConnections }, 'MAX_CONNECTIONS is reached')),
  )
  log.info({ url, callback: `${config.publicUrl ?? url}/wechat/callback` }, 'wechat-bind listens')
  return {
    url,
    async close() {
      const startedAt = performance.now()
      const stopped = stopListening(server)
      stopWaiting()
      await stopped
      await close(END_AFTER_MS - (performance.now() - startedAt))
      log.info({}, 'wechat-bind has stopped')
    },
  }
}

const MINUTE_MS = 60_000

/** Runs `note` once a minute at most: what is said a thousand times a second is not read. */
function noteOnce(note: () => void): () => void {
  let nextAt = 0
  return () => {
    if (performance.now() < nextAt) return
    nextAt = performance.now() + MINUTE_MS
    note()
  }
}

/** Runs `close` once on the first SIGTERM or SIGINT, then lets the process end. */
export function closeOnSignal(close: () => Promise<void>): void {
  let isClosing = false
  const stop = () => {
    // A second signal, as a terminal sends to a whole group, must not cut short what the first one lets end.
    if (isClosing) return
    isClosing = true
    close().then(
      () => process.exit(0),
      () => process.exit(1),
    )
  }
  process.on('SIGTERM', stop).on('SIGINT', stop)
}
