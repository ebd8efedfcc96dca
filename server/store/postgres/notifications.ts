/**
 * Receives notifications of all instances' commits by LISTEN, on a separate connection that reconnects. Node only.
 *
 * Steps:
 * 1. Each transaction sends NOTIFY with the users whose version it has raised (`postgres-store.ts`). PostgreSQL delivers it
 *    after the commit.
 * 2. Every `PROBE_INTERVAL_MS` the connection sends `select 1`. A connection that closes, or that does not answer in time, is
 *    replaced by a new one.
 * 3. PostgreSQL does not keep notifications for a client that is not listening. After a reconnect `onGap` is called, and every
 *    waiting page reads its user again.
 *
 * What could go wrong: while the connection is lost, pages show other instances' commits only after the reconnect. The
 * alternative, polling the database for every waiting page, would cost a query per page and second.
 */
import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import pg from 'pg'
import { toConnection } from './pool.ts'

type Listener = {
  /** Whether the connection is up. A lost connection is noticed at the next probe. */
  isListening(): boolean
  close(): Promise<void>
}

type ListenerOptions = {
  url: string
  channel: string
  onMessage: (payload: string) => void
  /** Called after a reconnect, because notifications sent before it may be lost. */
  onGap: () => void
}

const FIRST_RETRY_MS = 100
const MAX_RETRY_MS = 2_000

// A connection that was lost without a FIN or RST looks open until something is sent on it.
const PROBE_INTERVAL_MS = 5_000
const PROBE_TIMEOUT_MS = 2_500

/** Resolves once the connection is listening. Reconnects in the background until `close` is called. */
export async function createListener(options: ListenerOptions): Promise<Listener> {
  const closing = new AbortController()
  let client: pg.Client | undefined = await connect(options)
  const listening = keepConnected()

  async function keepConnected(): Promise<void> {
    while (client) {
      await untilLost(client, closing.signal)
      await client.end().catch(() => {})
      client = undefined
      client = await reconnect(options, closing.signal)
      if (client) options.onGap()
    }
  }

  return {
    isListening: () => client !== undefined,
    async close() {
      closing.abort()
      await listening
    },
  }
}

async function connect({ url, channel, onMessage }: ListenerOptions): Promise<pg.Client> {
  const client = new pg.Client({ ...toConnection(url), query_timeout: PROBE_TIMEOUT_MS })
  // The error is ignored, because `end` follows every `error`. Without a listener the event would end the process.
  client.on('error', () => {})
  client.on('notification', ({ payload }) => onMessage(payload ?? ''))
  try {
    await client.connect()
    await client.query(`listen ${client.escapeIdentifier(channel)}`)
    return client
  } catch (error) {
    await client.end().catch(() => {})
    throw error
  }
}

/** Resolves with undefined when the signal aborts first. */
async function reconnect(options: ListenerOptions, signal: AbortSignal): Promise<pg.Client | undefined> {
  for (let pauseMs = FIRST_RETRY_MS; !signal.aborted; pauseMs = Math.min(pauseMs * 2, MAX_RETRY_MS)) {
    await delay(pauseMs, undefined, { signal }).catch(() => {})
    const client = signal.aborted ? undefined : await connect(options).catch(() => undefined)
    if (client) return client
  }
  return undefined
}

/** Resolves when the connection has closed, when a probe gets no answer, or when the signal aborts. */
async function untilLost(client: pg.Client, signal: AbortSignal): Promise<void> {
  const lost = new AbortController()
  const probing = setInterval(() => client.query('select 1').catch(() => lost.abort()), PROBE_INTERVAL_MS)
  await once(client, 'end', { signal: AbortSignal.any([signal, lost.signal]) }).catch(() => {})
  clearInterval(probing)
}
