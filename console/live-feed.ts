/** Reads new events by long polls. A hidden page stops, because a browser opens at most six HTTP/1.1 connections to a server. */
import type { LiveEvent } from '../server/console/wire.ts'
import type { ConsoleClient, Failure } from './console-client.ts'
import type { Live, Store } from './page-state.ts'

const WAIT_S = 25
const RETRY_MS = 3_000
const MAX_SHOWN = 200

type LiveFeedParts = {
  client: ConsoleClient
  store: Store
  /** Called after new events, but not after the first answer. */
  onEvents: (events: readonly LiveEvent[]) => void
  onFailure: (failure: Failure) => void
}

export type LiveFeed = ReturnType<typeof createLiveFeed>

export function createLiveFeed({ client, store, onEvents, onFailure }: LiveFeedParts) {
  let controller: AbortController | undefined
  let cursor: string | undefined

  const write = (change: Partial<Live>) => store.write({ live: { ...store.read().live, ...change } })

  function add(events: readonly LiveEvent[]): void {
    const { live } = store.read()
    const list = live.isPaused ? 'held' : 'events'
    write({ state: 'open', [list]: [...live[list], ...events].slice(-MAX_SHOWN) })
  }

  async function run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const answer = await client.live(cursor, cursor === undefined ? 0 : WAIT_S, signal)
      if (signal.aborted) return
      if (answer.ok) {
        const isFirst = cursor === undefined
        cursor = answer.value.cursor
        add(answer.value.events)
        if (!isFirst && answer.value.events.length > 0) onEvents(answer.value.events)
        continue
      }
      write({ state: 'lost', failure: answer.failure })
      onFailure(answer.failure)
      if (answer.failure.code === 'EVENTS_GONE') cursor = undefined
      await pause(RETRY_MS, signal)
    }
  }

  return {
    start(): void {
      controller?.abort()
      controller = new AbortController()
      void run(controller.signal)
    },
    stop(): void {
      controller?.abort()
    },
    /** Forgets the position, because the next session starts with the newest events. */
    reset(): void {
      controller?.abort()
      cursor = undefined
    },
  }
}

const pause = (ms: number, signal: AbortSignal) =>
  new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, ms)
    signal.addEventListener('abort', () => {
      clearTimeout(timer)
      resolve()
    })
  })
