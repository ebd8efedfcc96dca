/** The server process: reads the environment, opens the sockets, closes everything on SIGTERM and SIGINT. Node only. */
import { pino } from 'pino'
import { collectDefaultMetrics } from 'prom-client'
import { type Env, parseConfig } from './config/config.ts'
import { startListening, stopListening } from './http/listen.ts'
import { interceptEndpoints } from './http/node-listener.ts'
import { openApp } from './open-app.ts'

type Running = {
  url: string
  /** Accepts no new connections, answers every waiting page, finishes callbacks, closes the store. */
  close(): Promise<void>
}

// An orchestrator kills the process after 5 s; half a second is kept in reserve.
const END_AFTER_MS = 4_500

/** Throws `BAD_CONFIG` before it opens the store or a socket. */
export async function startServer(env: Env): Promise<Running> {
  const config = parseConfig(env)
  const log = pino({ level: config.logLevel })
  const { app, ops, intercept, deps, stopWaiting, close } = await openApp(config, { log })
  // Adds memory, CPU and event loop lag of the process. The process runs only this server, so the figures describe this server.
  collectDefaultMetrics({ register: deps.metrics.registry })
  const { host, port, maxConnections } = config
  const opsListening =
    config.ops &&
    (await startListening(ops, config.ops.host, config.ops.port, { intercept: interceptEndpoints([], deps) }))
  const { server, url } = await startListening(app, host, port, { maxConnections, intercept })
  server.on('drop', () => deps.warn('connections', { maxConnections }))
  log.info(
    { url, ops: opsListening?.url, callback: `${config.publicUrl ?? url}/wechat/callback` },
    'wechat-bind listens',
  )
  return {
    url,
    async close() {
      const startedAt = performance.now()
      const stopped = [server, ...(opsListening ? [opsListening.server] : [])].map(stopListening)
      stopWaiting()
      await Promise.all(stopped)
      await close(END_AFTER_MS - (performance.now() - startedAt))
      log.info({}, 'wechat-bind has stopped')
    },
  }
}

/** Runs `close` on the first SIGTERM or SIGINT, then exits the process. */
export function closeOnSignal(close: () => Promise<void>): void {
  let isClosing = false
  const stop = () => {
    // Later signals are ignored: a terminal signals the whole process group, so one Ctrl-C may arrive twice.
    if (isClosing) return
    isClosing = true
    close().then(
      () => process.exit(0),
      () => process.exit(1),
    )
  }
  process.on('SIGTERM', stop).on('SIGINT', stop)
}
