/** Runs one of the compared servers in its own process: `node server.ts <raw|ours|naive|sse|polled>`. */
import { once } from 'node:events'
import { createServer, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { serve } from '@hono/node-server'
import { Hono } from 'hono'
import { streamSSE } from 'hono/streaming'
import { pino } from 'pino'
import { startListening } from '../../../server/http/listen.ts'
import { openApp } from '../../../server/open-app.ts'
import { newTicket } from '../../support/rows.ts'
import { benchConfig } from './setting.ts'

type Contender = {
  server: Server
  /** Answers the waiting page of this user. */
  wake(user: string): unknown
  wakeAll(): unknown
  held(): number
}

const BODY = JSON.stringify({ state: 'unbound', version: 1 })
const userOf = (url = '') => url.slice(url.lastIndexOf('/') + 1)

/** The simplest possible server: it keeps the responses in a map. */
async function raw(): Promise<Contender> {
  const held = new Map<string, ServerResponse>()
  const server = createServer((request, response) => {
    const user = userOf(request.url)
    // Reads the headers that every long-poll has to read: the token, the known version, and the wait.
    if (!request.headers.authorization || !request.headers['if-none-match'] || !request.headers.prefer) return
    held.set(user, response)
    response.on('close', () => held.delete(user))
  })
  const wake = (user: string) => {
    held.get(user)?.setHeader('Content-Type', 'application/json').end(BODY)
    held.delete(user)
  }
  return {
    server: server.listen(0, '127.0.0.1'),
    wake,
    wakeAll: () => [...held.keys()].forEach(wake),
    held: () => held.size,
  }
}

/** A first, simple implementation: a promise, a timer and an abort listener per page. */
async function naive(): Promise<Contender> {
  const held = new Map<string, () => void>()
  const app = new Hono().get('/:user', async (c) => {
    const user = c.req.param('user')
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, 60_000)
      const end = () => {
        clearTimeout(timer)
        resolve()
      }
      c.req.raw.signal.addEventListener('abort', end)
      held.set(user, end)
    })
    held.delete(user)
    return c.body(BODY, 200, { 'Content-Type': 'application/json' })
  })
  const { server } = await startListening(app, '127.0.0.1', 0)
  return {
    server,
    wake: (user) => held.get(user)?.(),
    wakeAll: () => [...held.values()].forEach((end) => void end()),
    held: () => held.size,
  }
}

/** A server at which no page waits: each page polls every second. */
async function polled(): Promise<Contender> {
  const changed = new Set<string>()
  const app = new Hono().get('/:user', (c) =>
    changed.has(c.req.param('user')) ? c.body(BODY, 200) : c.body(null, 304),
  )
  const { server } = await startListening(app, '127.0.0.1', 0)
  return { server, wake: (user) => changed.add(user), wakeAll: () => {}, held: () => 0 }
}

async function sse(): Promise<Contender> {
  const held = new Map<string, () => void>()
  const app = new Hono().get('/:user', (c) =>
    streamSSE(c, async (stream) => {
      const user = c.req.param('user')
      // Sends the headers in a packet of their own, so that the next packet contains the change.
      await stream.writeSSE({ data: '' })
      const { promise, resolve } = Promise.withResolvers<void>()
      held.set(user, resolve)
      stream.onAbort(() => {
        held.delete(user)
        resolve()
      })
      await promise
      held.delete(user)
      await stream.writeSSE({ data: BODY })
    }),
  )
  const server = serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' }) as Server
  return {
    server,
    wake: (user) => held.get(user)?.(),
    wakeAll: () => [...held.values()].forEach((end) => void end()),
    held: () => held.size,
  }
}

/**
 * The complete bind server, which decrypts tokens, reads the store and commits the change. The store is in memory,
 * because the bench `callback` measures the disk.
 */
async function ours(pages: number): Promise<Contender> {
  const config = benchConfig()
  const { app, intercept, deps, stopWaiting } = await openApp(config, { log: pino({ level: config.logLevel }) })
  const identityOf = (userId: string) => ({ tenant: 'default', account: 'acme', userId })
  // A page that waits has shown a QR code before, so its user is in the store.
  await deps.store.write(function* (tx) {
    for (let i = 0; i < pages; i++) yield* tx.addTicket(identityOf(`u${i}`), newTicket(`u${i}`), false)
  })
  const { server } = await startListening(app, '127.0.0.1', 0, { intercept })
  return {
    server,
    wake: (user) =>
      deps.store.write(function* (tx) {
        const { id } = yield* tx.userOf(identityOf(user))
        yield* tx.apply({ type: 'unbind', user: id, reason: 'chat', at: 0 })
      }),
    wakeAll: stopWaiting,
    held: deps.waiters.count,
  }
}

const contenders = { raw, naive, polled, sse, ours }

/** The commands of the parent process. The answer to `figures` has the number of `held` pages, `rss` in bytes and `cpu` in ms. */
export type Order = { wake: string } | 'wakeAll' | 'figures'
export type Figures = { held: number; rss: number; cpu: number }

const name = process.argv[2] as keyof typeof contenders
const { server, wake, wakeAll, held } = await contenders[name](Number(process.argv[3]))
if (!server.listening) await once(server, 'listening')
process.send?.({ port: (server.address() as AddressInfo).port })
process.on('message', (order: Order) => {
  if (order === 'wakeAll') return void wakeAll()
  if (typeof order === 'object') return void wake(order.wake)
  const { user, system } = process.cpuUsage()
  process.send?.({ held: held(), rss: process.memoryUsage.rss(), cpu: (user + system) / 1000 } satisfies Figures)
})
