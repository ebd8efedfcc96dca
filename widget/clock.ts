/** Provides time, timers and random numbers for the controller. Tests pass another clock. */

/** `now` never decreases; `sleep` rejects when `signal` aborts. */
export type Clock = {
  now(): number
  random(): number
  sleep(ms: number, signal: AbortSignal): Promise<void>
}

/**
 * Measures elapsed time with two clocks and takes the greater difference. `performance.now()` stops while a laptop
 * sleeps, and `Date.now()` jumps when the clock is set. A QR code may therefore expire too early, and the element then
 * requests another one. It never expires too late.
 */
export function createNow(): Clock['now'] {
  let at = 0
  let last = [performance.now(), Date.now()] as const
  return () => {
    const next = [performance.now(), Date.now()] as const
    at += Math.max(next[0] - last[0], next[1] - last[1])
    last = next
    return at
  }
}

export const browserClock: Clock = {
  now: createNow(),
  random: Math.random,
  sleep: (ms, signal) =>
    new Promise((resolve, reject) => {
      const timer = setTimeout(resolve, ms)
      signal.addEventListener('abort', () => {
        clearTimeout(timer)
        reject(signal.reason)
      })
    }),
}
