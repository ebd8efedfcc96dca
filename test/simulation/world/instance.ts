/**
 * One server of a simulation: the real app with a simulated clock, network and store, and with repeatable random
 * values. It uses no sockets.
 */

import { createEndpoints } from '../../../server/app.ts'
import type { Config } from '../../../server/config/config.ts'
import { createConsole } from '../../../server/console/console.ts'
import type { Answer } from '../../../server/http/answer.ts'
import { isDeferred } from '../../../server/http/deferred-response.ts'
import { callEndpoint, type Endpoint } from '../../../server/http/endpoint.ts'
import { openApp } from '../../../server/open-app.ts'
import type { Fetch, Log } from '../../../server/platform.ts'
import type { ConsoleAnswer } from '../steps/console.ts'
import { createStoreView, type Database } from './store.ts'
import type { SimulatedTime } from './time.ts'

export type Instance = Awaited<ReturnType<typeof openInstance>>

export type Request = {
  method: 'GET' | 'POST' | 'DELETE'
  path: string
  search?: string
  headers?: Record<string, string>
  body?: Uint8Array<ArrayBuffer>
}

type ConsoleRequest = {
  method: 'POST' | 'DELETE'
  path: string
  body: object | undefined
  cookie: string | undefined
  csrf: string | undefined
}

/** The server has ended before it answered. */
export const LOST = Symbol('lost')

type InstanceDeps = {
  config: Config
  database: Database
  time: SimulatedTime
  fetch: Fetch
  log: Log
  random: () => number
  turn: () => Promise<void>
}

export async function openInstance({ config, database, time, fetch, log, random, turn }: InstanceDeps) {
  const death = Promise.withResolvers<typeof LOST>()
  let isAlive = true
  let requests = 0
  const view = createStoreView({
    turn,
    onDeath() {
      isAlive = false
      death.resolve(LOST)
    },
  })
  const whileAlive =
    (timer: typeof time.setTimer): typeof time.setTimer =>
    (run, ms) =>
      timer(() => isAlive && run(), ms)
  const opened = await openApp(config, {
    log,
    clock: time.clock,
    setTimer: whileAlive(time.setTimer),
    setRepeatingTimer: whileAlive(time.every),
    timeLimit: time.timeLimit,
    delay: time.delay,
    random,
    openStore: async (...args) => view.wrap(await database.openStore(...args)),
    async fetch(url, init) {
      requests++
      try {
        const response = await fetch(url, init)
        return isAlive ? response : await new Promise<never>(() => {})
      } finally {
        requests--
      }
    },
  })
  const endpoints = new Map<string, Endpoint>(
    createEndpoints(opened.deps).map((endpoint) => [`${endpoint.method} ${endpoint.path}`, endpoint]),
  )

  // The console is created at the first request, because most stories do not use it.
  let consoleApp: ReturnType<typeof createConsole> | undefined

  async function answerConsole({ method, path, body, cookie, csrf }: ConsoleRequest): Promise<ConsoleAnswer> {
    consoleApp ??= createConsole(opened.deps)
    const response = await consoleApp.request(`http://127.0.0.1/api${path}`, {
      method,
      headers: {
        ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
        ...(cookie === undefined ? {} : { Cookie: `wechat-bind-console=${cookie}` }),
        ...(csrf === undefined ? {} : { 'X-Console-CSRF': csrf }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const set = /wechat-bind-console=([^;]+)/.exec(response.headers.get('Set-Cookie') ?? '')
    return { status: response.status, text: await response.text(), cookie: set?.[1] }
  }

  /** Calls the endpoint with plain values, as the adapters for Hono and for Node's server do. */
  async function answer(
    { method, path, search = '', headers = {}, body }: Request,
    onHangUp: (hangUp: () => void) => void,
  ) {
    const endpoint = endpoints.get(`${method} ${path}`)
    if (!endpoint) throw new Error(`no endpoint ${method} ${path}`)
    const request = { method, path, search, headers, requestId: 'r' }
    const result = await callEndpoint(endpoint, request, async () => body ?? new Uint8Array())
    if (!isDeferred(result)) return result
    return new Promise<Answer>((send) => result.start({ send, onHangUp }))
  }

  return {
    /** Calls `onHangUp` with a function. The story calls this function when the client closes the connection. */
    call: (request: Request, onHangUp: (hangUp: () => void) => void = () => {}): Promise<Answer | typeof LOST> =>
      Promise.race([answer(request, onHangUp), death.promise]),
    onConsole: (request: ConsoleRequest) => Promise.race([answerConsole(request), death.promise]),
    view,
    death: death.promise,
    isAlive: () => isAlive,
    underway: () => (isAlive ? view.underway() + requests : 0),
    /** The dependencies of the server, for the commands of an operator, which use the store directly. */
    deps: opened.deps,
    /** Ends the server in the same way as SIGKILL. */
    kill: () => view.kill(),
    /** Ends the server in the same way as SIGTERM. */
    async stop(): Promise<void> {
      opened.stopWaiting()
      await opened.close(0)
      view.kill()
    },
  }
}
