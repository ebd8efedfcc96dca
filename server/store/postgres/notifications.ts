/**
 * Receives notifications of all instances' commits by LISTEN, on a separate connection that reconnects. Node only.
 *
 * Steps:
 * 1. Each transaction sends NOTIFY with the users whose version it has raised (`postgres-store.ts`). PostgreSQL delivers it
 *    after the commit.
 * 2. Every 5 s, and when the pool has lost a connection, another connection sends a notification on a channel of this listener. A connection that closes,
 *    or that does not receive it in time, is replaced by a new one. So the listener also leaves a server that still answers, but
 *    where nothing is committed any more, because another server is the primary now.
 * 3. PostgreSQL does not keep notifications for a client that is not listening. After a reconnect `onGap` is called, and every
 *    waiting page reads its user again.
 *
 * What could go wrong: while the connection is lost, pages show other instances' commits only after the reconnect. The
 * alternative, polling the database for every waiting page, would cost a query per page and second.
 */
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import pg from 'pg'
import { toConnection } from './pool.ts'

type Listener = {
  /** Whether the connection is up. A lost connection is noticed at the next probe. */
  isListening(): boolean
  /** Tests the connection now. Call it when another connection to the database was lost. */
  probe(): void
  close(): Promise<void>
}

type ListenerOptions = {
  url: string
  channel: string
  onMessage: (payload: string) => void
  /** Called after a reconnect, because notifications sent before it may be lost. */
  onGap: () => void
  /** Sends an empty notification in the way that commits are sent. */
  notify: (channel: string) => Promise<unknown>
  probe?: { everyMs: number; withinMs: number }
}

type Connection = {
  client: pg.Client
  /** Aborts `lost` if the connection does not receive a notification in time. */
  probe(): void
  lost: AbortSignal
}

const FIRST_RETRY_MS = 100
const MAX_RETRY_MS = 2_000

// A connection that was lost without a FIN or RST looks open until something is sent on it.
const PROBE = { everyMs: 5_000, withinMs: 2_500 }

/** Resolves once the connection is listening. Reconnects in the background until `close` is called. */
export async function createListener(options: ListenerOptions): Promise<Listener> {
  const closing = new AbortController()
  let connection: Connection | undefined = await connect(options)
  const listening = keepConnected()

  async function keepConnected(): Promise<void> {
    while (connection) {
      await untilLost(connection, options.probe ?? PROBE, closing.signal)
      await connection.client.end().catch(() => {})
      connection = undefined
      connection = await reconnect(options, closing.signal)
      if (connection) options.onGap()
    }
  }

  return {
    isListening: () => connection !== undefined,
    probe: () => connection?.probe(),
    async close() {
      closing.abort()
      await listening
    },
  }
}

async function connect({ url, channel, onMessage, notify, probe = PROBE }: ListenerOptions): Promise<Connection> {
  const client = new pg.Client({ ...toConnection(url), query_timeout: probe.withinMs })
  // The error is ignored, because `end` follows every `error`. Without a listener the event would end the process.
  client.on('error', () => {})
  const ownChannel = `${channel}_${randomBytes(9).toString('hex')}`
  const probes: (() => void)[] = []
  const lost = new AbortController()
  client.on('notification', (message) => {
    if (message.channel === channel) onMessage(message.payload ?? '')
    else for (const received of probes.splice(0)) received()
  })
  try {
    await client.connect()
    for (const each of [channel, ownChannel]) await client.query(`listen ${client.escapeIdentifier(each)}`)
  } catch (error) {
    await client.end().catch(() => {})
    throw error
  }

  async function check(): Promise<void> {
    const isReceived = new Promise<void>((resolve) => probes.push(resolve))
    // Without another connection the probe tells nothing about the notifications.
    const notified = notify(ownChannel).then(
      () => rejectAfter(isReceived, probe.withinMs),
      () => {},
    )
    await Promise.all([client.query('select 1'), notified])
  }

  return { client, probe: () => void check().catch(() => lost.abort()), lost: lost.signal }
}

async function rejectAfter(result: Promise<void>, ms: number): Promise<void> {
  const { promise: late, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(() => reject(new Error(`no notification within ${ms} ms`)), ms)
  await Promise.race([result, late]).finally(() => clearTimeout(timer))
}

/** Resolves with undefined when the signal aborts first. */
async function reconnect(options: ListenerOptions, signal: AbortSignal): Promise<Connection | undefined> {
  for (let pauseMs = FIRST_RETRY_MS; !signal.aborted; pauseMs = Math.min(pauseMs * 2, MAX_RETRY_MS)) {
    await delay(pauseMs, undefined, { signal }).catch(() => {})
    const connection = signal.aborted ? undefined : await connect(options).catch(() => undefined)
    if (connection) return connection
  }
  return undefined
}

/** Resolves when the connection has closed, when a probe fails, or when the signal aborts. */
async function untilLost(
  { client, probe, lost }: Connection,
  { everyMs }: typeof PROBE,
  signal: AbortSignal,
): Promise<void> {
  const probing = setInterval(probe, everyMs)
  await once(client, 'end', { signal: AbortSignal.any([signal, lost]) }).catch(() => {})
  clearInterval(probing)
}
