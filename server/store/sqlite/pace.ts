/**
 * Spreads background work over time: the sweep, erasures, and the commands that change many rows. SQLite has one writer. A callback
 * takes several turns of the event loop, and would otherwise meet a transaction of the sweep in each of them. Node only.
 */
import { setTimeout as delay } from 'node:timers/promises'

// The pause after a transaction, as a multiple of its time. A server uses a quarter of its time for background work: the sweep then
// deletes about 15,000 rows a second, and 1,000 callbacks a second add fewer than 5,000. Without pauses, the slowest callback beside
// a sweep took 67 ms. A command uses half of the time, because somebody waits for its end.
export const SERVER_REST = 3
export const COMMAND_REST = 1
// A database in memory belongs to a test or a demo.
export const MEMORY_REST = 0

// Shorter pauses are left out. A timer would turn them into 1 ms.
const MIN_REST_MS = 1

// A transaction that took very long has met a slow disk, and a longer pause would help nobody.
const MAX_REST_MS = 1_000

export type Pace = {
  /** Call with the time in ms that a transaction of background work took. */
  note(tookMs: number): void
  /** Resolves when the next transaction may begin. */
  rest(): Promise<void>
  /** Ends all pauses. */
  stop(): void
}

type Clock = { now(): number; delay(ms: number, signal: AbortSignal): Promise<unknown> }

const systemClock: Clock = {
  now: () => performance.now(),
  delay: (ms, signal) => delay(ms, undefined, { signal }).catch(() => {}),
}

export function createPace(restFactor: number, clock = systemClock): Pace {
  const stopped = new AbortController()
  let restUntil = 0
  const restMs = () => restUntil - clock.now()
  return {
    note(tookMs) {
      restUntil = Math.max(restUntil, clock.now() + Math.min(MAX_REST_MS, restFactor * tookMs))
    },
    async rest() {
      // Another transaction may have ended during the pause.
      while (!stopped.signal.aborted && restMs() >= MIN_REST_MS) await clock.delay(restMs(), stopped.signal)
    },
    stop: () => stopped.abort(),
  }
}
