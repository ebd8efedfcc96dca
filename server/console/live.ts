/** Delivers the new events of all tenants by long polls. */
import type { Deps } from '../deps.ts'
import type { LiveEvents, LivePlace } from '../store/console-store.ts'
import type { LivePage } from './wire.ts'

const MAX_EVENTS = 100

/** Without a cursor the page gets the newest events. */
const FIRST_EVENTS = 50

// Above this number, requests are answered at once. The console has few users, and each page waits once.
const MAX_WAITING = 100

const SCOPE = ['console live']

export function createLive({ store, cursors, console: { closing } }: Deps) {
  const waiting = new Set<() => void>()
  store.onCommit(() => {
    for (const wake of waiting) wake()
  })

  const toPage = ({ events, next }: LiveEvents): LivePage => ({
    events: events.map(({ uid, identity, type, reason, version, at }) => ({
      ...identity,
      id: uid,
      type: `binding.${type}`,
      reason,
      version,
      at,
    })),
    cursor: cursors.seal(SCOPE, [next.newest, next.gaps]),
  })

  /** Resolves after the next commit, and when `signal` is aborted. */
  const nextCommit = (signal: AbortSignal) =>
    new Promise<void>((resolve) => {
      const end = () => {
        waiting.delete(end)
        signal.removeEventListener('abort', end)
        resolve()
      }
      waiting.add(end)
      signal.addEventListener('abort', end)
      if (signal.aborted) end()
    })

  /** `client` is aborted when the client disconnects. */
  return async (cursor: string | undefined, waitMs: number, client: AbortSignal): Promise<LivePage> => {
    const place = cursors.open<[newest: number, gaps: number[]]>(SCOPE, cursor)
    if (!place) return toPage(await store.console.liveEvents(undefined, FIRST_EVENTS))
    const after: LivePlace = { newest: place[0], gaps: place[1] }
    const signal = AbortSignal.any([client, closing, AbortSignal.timeout(waitMs)])
    for (;;) {
      // Registered before the read, so that a commit after the read ends the wait.
      const committed = waitMs > 0 && waiting.size < MAX_WAITING ? nextCommit(signal) : undefined
      const found = await store.console.liveEvents(after, MAX_EVENTS)
      if (found.events.length > 0 || !committed || signal.aborted) return toPage(found)
      await committed
    }
  }
}
