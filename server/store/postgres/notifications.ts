/** Hears the notifications of every instance, over a connection that is made anew when it is lost. NODE. */
import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import pg from 'pg'
import { toConnection } from './pool.ts'

type Listener = {
  /** Whether every notification is heard at present. */
  isListening(): boolean
  close(): Promise<void>
}

type ListenerOptions = {
  url: string
  channel: string
  onMessage: (payload: string) => void
  /** We listen again, and what was said in between is lost. */
  onGap: () => void
}

const FIRST_PAUSE_MS = 100
const LONGEST_PAUSE_MS = 2_000

// A line that is cut without a word shows only when one speaks on it.
const PROBE_EVERY_MS = 5_000
const PROBE_WITHIN_MS = 2_500

/** Resolves once it listens; later losses are mended in the background. */
export async function createListener(options: ListenerOptions): Promise<Listener> {
  const closing = new AbortController()
  let client: pg.Client | undefined = await connect(options)
  const listening = keep()

  /** Until we are closed: waits for the end of the connection, then makes a new one. */
  async function keep(): Promise<void> {
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
  const client = new pg.Client({ ...toConnection(url), query_timeout: PROBE_WITHIN_MS })
  // 'end' follows.
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

/** Undefined when we were closed first. */
async function reconnect(options: ListenerOptions, signal: AbortSignal): Promise<pg.Client | undefined> {
  for (let pauseMs = FIRST_PAUSE_MS; !signal.aborted; pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)) {
    await delay(pauseMs, undefined, { signal }).catch(() => {})
    const client = signal.aborted ? undefined : await connect(options).catch(() => undefined)
    if (client) return client
  }
  return undefined
}

/** Resolves when the connection has ended or is silent, or the signal aborts. */
async function untilLost(client: pg.Client, signal: AbortSignal): Promise<void> {
  const lost = new AbortController()
  const probing = setInterval(() => client.query('select 1').catch(() => lost.abort()), PROBE_EVERY_MS)
  await once(client, 'end', { signal: AbortSignal.any([signal, lost.signal]) }).catch(() => {})
  clearInterval(probing)
}
