/** Time and chance as the controller needs them, so that a test can hold them still. */

/** `now` only grows; `sleep` rejects when `signal` aborts. */
export type Clock = {
  now(): number
  random(): number
  sleep(ms: number, signal: AbortSignal): Promise<void>
}

/**
 * The longer of what two clocks say has passed: one stands still while a laptop sleeps, the other jumps when it is set.
 * So a QR may end early, which a new one mends, and never late.
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
