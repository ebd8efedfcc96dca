/** A series of requests and the pauses between them. Pure: chance is passed in. */

/** One request of a series: `turn` tells it from the one before, `failures` counts the failures in a row before it, `delayMs` comes first. */
export type Attempt = { turn: number; failures: number; delayMs: number }

const BACKOFF_BASE_MS = 1000
const BACKOFF_CAP_MS = 30_000

export const firstAttempt: Attempt = { turn: 0, failures: 0, delayMs: 0 }

/** The next request after one that was answered. */
export function nextAttempt(attempt: Attempt, delayMs = 0): Attempt {
  return { turn: attempt.turn + 1, failures: 0, delayMs: Math.max(0, delayMs) }
}

/** The next request after one that failed. */
export function retryAttempt(attempt: Attempt, random: number, retryAfterMs?: number): Attempt {
  return {
    turn: attempt.turn + 1,
    failures: attempt.failures + 1,
    delayMs: backoffMs(attempt.failures, random, retryAfterMs),
  }
}

/** The pause after `failures` failures in a row: exponential with full jitter, on top of what the server asked for. */
export function backoffMs(failures: number, random: number, retryAfterMs = 0): number {
  return retryAfterMs + random * Math.min(BACKOFF_CAP_MS, BACKOFF_BASE_MS * 2 ** failures)
}
