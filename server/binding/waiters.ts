/** Who waits for a user's next version. A wake is never lost: each waiter names the version it knows. */
import type { Identity, Tidings } from '../store/store.ts'

export type Waiter = {
  /** Resolves when a version above the known one is committed, the time is over, the signal aborts, or the server stops. */
  ended: Promise<void>
  end(): void
  /** Ends in `ms` at the latest. */
  endWithin(ms: number): void
}

export type Waiters = {
  park(identity: Identity, known: number, ms: number, signal: AbortSignal): Waiter
  /** Ends the waits that know an older version; after a gap all of them, one after the other, so that each looks again. */
  wake(tidings: Tidings): void
  /** Ends every wait, now and from now on. */
  close(): void
  count(): number
}

/** Runs `end` after `ms`; returns what cancels it. */
export type SetTimer = (end: () => void, ms: number) => () => void

type Parked = { known: number; end: () => void; endWithin: (ms: number) => void }

// Each looks into the store: 10,000 pages do so within 5 s, and most connections stay free for callbacks.
const LOOKS_PER_MS = 2

export function createWaiters(setTimer: SetTimer): Waiters {
  const parked = new Map<string, Set<Parked>>()
  let isClosed = false
  let count = 0

  const keyOf = ({ tenant, account, userId }: Identity) => JSON.stringify([tenant, account, userId])

  const all = () => [...parked.values()].flatMap((together) => [...together])

  function enter(key: string, waiter: Parked): () => void {
    const together = parked.get(key) ?? new Set()
    parked.set(key, together.add(waiter))
    count++
    return () => {
      if (!together.delete(waiter)) return
      count--
      if (together.size === 0) parked.delete(key)
    }
  }

  return {
    park(identity, known, ms, signal) {
      const { promise: ended, resolve } = Promise.withResolvers<void>()
      const waiter: Parked = { known, end: () => finish(), endWithin }
      const leave = enter(keyOf(identity), waiter)
      let cancelTimer = setTimer(finish, ms)
      signal.addEventListener('abort', finish)
      if (isClosed || signal.aborted) finish()

      function finish() {
        leave()
        cancelTimer()
        signal.removeEventListener('abort', finish)
        resolve()
      }

      function endWithin(soonerMs: number) {
        const cancelLater = cancelTimer
        const cancelSooner = setTimer(finish, soonerMs)
        cancelTimer = () => {
          cancelLater()
          cancelSooner()
        }
      }

      return { ended, end: finish, endWithin }
    },
    wake(tidings) {
      if (tidings === 'missed') {
        for (const [i, waiter] of all().entries()) waiter.endWithin(Math.floor(i / LOOKS_PER_MS))
        return
      }
      const { identity, version } = tidings
      for (const waiter of parked.get(keyOf(identity)) ?? []) if (version > waiter.known) waiter.end()
    },
    close() {
      isClosed = true
      for (const waiter of all()) waiter.end()
    },
    count: () => count,
  }
}
