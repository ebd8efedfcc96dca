/**
 * Numbers the requests of a series and computes the pause before each request. The pauses grow exponentially and
 * include a random part.
 */

/**
 * One request of a series. `turn` is its number, `failures` counts the failures since the last success, and `delayMs`
 * is the pause before the request.
 */
export type Attempt = { turn: number; failures: number; delayMs: number }

const BACKOFF_BASE_MS = 1000
const BACKOFF_CAP_MS = 30_000

export const firstAttempt: Attempt = { turn: 0, failures: 0, delayMs: 0 }

/** Returns the request after a successful request. */
export function nextAttempt(attempt: Attempt, delayMs = 0): Attempt {
  return { turn: attempt.turn + 1, failures: 0, delayMs: Math.max(0, delayMs) }
}

/** Returns the request after a failed request. */
export function retryAttempt(attempt: Attempt, random: number, retryAfterMs?: number): Attempt {
  return {
    turn: attempt.turn + 1,
    failures: attempt.failures + 1,
    delayMs: backoffMs(attempt.failures, random, retryAfterMs),
  }
}

/** The pause after `failures` consecutive failures: the server's `Retry-After` plus an exponential backoff with full jitter. */
export function backoffMs(failures: number, random: number, retryAfterMs = 0): number {
  return retryAfterMs + random * Math.min(BACKOFF_CAP_MS, BACKOFF_BASE_MS * 2 ** failures)
}
