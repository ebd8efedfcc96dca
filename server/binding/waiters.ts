/** Who waits for a user's next version. A wake is never lost: each waiter names the version it knows. */
import type { Committed, Identity } from '../store/store.ts'

export type Waiter = {
  /** Resolves when a version above the known one is committed, the time is over, the signal aborts, or the server stops. */
  ended: Promise<void>
  end(): void
  /** Ends in `ms` at the latest. */
  endWithin(ms: number): void
}

export type Waiters = {
  park(identity: Identity, known: number, ms: number, signal: AbortSignal): Waiter
  wake(committed: Committed): void
  /** Ends every wait, now and from now on. */
  close(): void
  count(): number
}

/** Runs `end` after `ms`; returns what cancels it. */
export type SetTimer = (end: () => void, ms: number) => () => void

type Parked = { known: number; end: () => void }

export function createWaiters(setTimer: SetTimer): Waiters {
  const parked = new Map<string, Set<Parked>>()
  let isClosed = false
  let count = 0

  const keyOf = ({ tenant, account, userId }: Identity) => JSON.stringify([tenant, account, userId])

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
      const waiter: Parked = { known, end: () => finish() }
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

      return {
        ended,
        end: finish,
        endWithin(soonerMs) {
          const cancelLater = cancelTimer
          const cancelSooner = setTimer(finish, soonerMs)
          cancelTimer = () => {
            cancelLater()
            cancelSooner()
          }
        },
      }
    },
    wake({ identity, version }) {
      for (const waiter of parked.get(keyOf(identity)) ?? []) if (version > waiter.known) waiter.end()
    },
    close() {
      isClosed = true
      for (const together of [...parked.values()]) for (const waiter of [...together]) waiter.end()
    },
    count: () => count,
  }
}
