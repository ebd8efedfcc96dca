/** The server process: reads the environment, opens the sockets, closes everything on SIGTERM and SIGINT. Node only. */
import type { Hono } from 'hono'
import { pino } from 'pino'
import { collectDefaultMetrics } from 'prom-client'
import { type Env, parseConfig } from './config/config.ts'
import { createConsole } from './console/console.ts'
import { BindError } from './errors.ts'
import { type Listening, startListening, stopListening } from './http/listen.ts'
import { interceptEndpoints } from './http/node-listener.ts'
import { openApp } from './open-app.ts'

type Running = {
  url: string
  /** Undefined without `CONSOLE_PORT`. */
  consoleUrl: string | undefined
  /** Accepts no new connections, answers every waiting page, finishes callbacks, closes the store. */
  close(): Promise<void>
}

// An orchestrator kills the process after 5 s; half a second is kept in reserve.
const END_AFTER_MS = 4_500

// These count the objects that keep the process alive, by their type. With 19,000 waiting pages they delayed the event loop by 40 ms at
// each scrape.
const SLOW_METRICS = ['handles', 'requests', 'resources'].flatMap((what) => [
  `nodejs_active_${what}`,
  `nodejs_active_${what}_total`,
])

/** Throws `BAD_CONFIG` before it opens the store or a socket. */
export async function startServer(env: Env): Promise<Running> {
  const config = parseConfig(env)
  const log = pino({ level: config.logLevel })
  const { app, ops, intercept, deps, stopWaiting, close } = await openApp(config, { log })
  // Adds memory, CPU and event loop lag of the process. The process runs only this server, so the figures describe this server.
  collectDefaultMetrics({ register: deps.metrics.registry })
  for (const name of SLOW_METRICS) deps.metrics.registry.removeSingleMetric(name)
  const { host, port, maxConnections } = config
  const { listen: consoleAt } = config.console
  if (!consoleAt && (config.console.operators.length > 0 || config.console.tokensFile !== undefined)) {
    log.warn({}, 'CONSOLE_TOKENS has no effect without CONSOLE_PORT: set CONSOLE_PORT to open the console')
  }
  /** The listeners besides the main one. Their routes are not on the main port. */
  const inner: Listening[] = []
  const listenInside = async (
    make: () => Hono,
    at: { host: string; port: number } | undefined,
    name: 'OPS' | 'CONSOLE',
  ) => {
    if (!at) return undefined
    const listening = await startListening(make(), at.host, at.port, { intercept: interceptEndpoints([], deps) }).catch(
      cannotListen(`${name}_PORT`, `${name}_HOST`, at.port),
    )
    inner.push(listening)
    return listening.url
  }
  const listen = async () => {
    const opsUrl = await listenInside(() => ops, config.ops, 'OPS')
    const consoleUrl = await listenInside(() => createConsole(deps), consoleAt, 'CONSOLE')
    const main = await startListening(app, host, port, { maxConnections, intercept }).catch(
      cannotListen('PORT', 'HOST', port),
    )
    return { ...main, opsUrl, consoleUrl }
  }
  const { server, url, opsUrl, consoleUrl } = await listen().catch(async (error) => {
    for (const { server } of inner) server.close()
    await close(0)
    throw error
  })
  server.on('drop', () => deps.warn('connections', { maxConnections }))
  log.info(
    { url, ops: opsUrl, console: consoleUrl, callback: `${config.publicUrl ?? url}/wechat/callback` },
    'wechat-bind listens',
  )
  return {
    url,
    consoleUrl,
    async close() {
      const startedAt = performance.now()
      const stopped = [server, ...inner.map((each) => each.server)].map(stopListening)
      stopWaiting()
      await Promise.all(stopped)
      await close(END_AFTER_MS - (performance.now() - startedAt))
      log.info({}, 'wechat-bind has stopped')
    },
  }
}

/** Turns Node's error into a sentence with the setting and the fix. */
const cannotListen =
  (portName: string, hostName: string, port: number) =>
  (cause: NodeJS.ErrnoException): never => {
    const [en, zh] = {
      EADDRINUSE: [
        `${portName}: port ${port} is in use, perhaps by another instance: stop that program, or set ${portName} to a free port.`,
        `端口 ${port} 已被占用（可能是另一个实例）：请停止该程序，或将 ${portName} 设为空闲端口。`,
      ],
      EACCES: [
        `${portName}: this user may not listen on port ${port}: set ${portName} to 1024 or higher, and put a proxy in front.`,
        `当前用户不能监听端口 ${port}：请将 ${portName} 设为 1024 或更大，并在前面使用代理。`,
      ],
      EADDRNOTAVAIL: [
        `${hostName}: this machine does not have the address: set ${hostName} to one of its own addresses, or leave it out.`,
        `本机没有该地址：请将 ${hostName} 设为本机的地址，或不设置。`,
      ],
      ENOTFOUND: [
        `${hostName}: the name cannot be resolved: set ${hostName} to an address of this machine, or leave it out.`,
        `无法解析该名称：请将 ${hostName} 设为本机的地址，或不设置。`,
      ],
    }[cause.code ?? ''] ?? [`${portName}: cannot listen (${cause.code}).`, `无法监听（${cause.code}）。`]
    throw new BindError('BAD_CONFIG', `${en}\n    ${zh}`, { cause })
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
