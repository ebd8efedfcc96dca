/** Time and chance as the controller needs them, so that a test can hold them still. */

/** `now` never jumps, whatever becomes of the computer's clock; `sleep` rejects when `signal` aborts. */
export type Clock = {
  now(): number
  random(): number
  sleep(ms: number, signal: AbortSignal): Promise<void>
}

/** setTimeout keeps its delay in 31 bits; a longer one would fire at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1

export const browserClock: Clock = {
  now: () => performance.now(),
  random: () => Math.random(),
  sleep: (ms, signal) =>
    new Promise((resolve, reject) => {
      const abort = () => {
        clearTimeout(timer)
        reject(signal.reason)
      }
      const timer = setTimeout(
        () => {
          signal.removeEventListener('abort', abort)
          resolve()
        },
        Math.min(ms, LONGEST_TIMER_MS),
      )
      if (signal.aborted) abort()
      else signal.addEventListener('abort', abort)
    }),
}
