/** A series of requests and the pauses between them. Pure: chance is passed in. */

/** One request of a series: `turn` tells it from the one before, `attempt` counts failures in a row, `delayMs` comes first. */
export type Run = { turn: number; attempt: number; delayMs: number }

const BACKOFF_BASE_MS = 1000
const BACKOFF_CAP_MS = 30_000

export const firstRun: Run = { turn: 0, attempt: 0, delayMs: 0 }

/** The next request after one that was answered. */
export function nextRun(run: Run, delayMs = 0): Run {
  return { turn: run.turn + 1, attempt: 0, delayMs: Math.max(0, delayMs) }
}

/** The next request after one that failed. */
export function retryRun(run: Run, random: number, retryAfterMs?: number): Run {
  return { turn: run.turn + 1, attempt: run.attempt + 1, delayMs: backoffMs(run.attempt, random, retryAfterMs) }
}

/** The pause after failure number `attempt`: exponential with full jitter, on top of what the server asked for. */
export function backoffMs(attempt: number, random: number, retryAfterMs = 0): number {
  return retryAfterMs + random * Math.min(BACKOFF_CAP_MS, BACKOFF_BASE_MS * 2 ** attempt)
}
