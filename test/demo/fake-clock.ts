/** A fake clock. Only `advance` changes the time. It also ends each `delay` that is due. */
import type { Delay } from '../../demo/simulator/faults.ts'

type Sleeper = { until: number; wake: () => void }

/**
 * Waits until all work is done that does not depend on the clock. For requests within one process, 10 turns of the
 * event loop are enough.
 */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 10; turn += 1) await new Promise(setImmediate)
}

export function createFakeClock(now = Date.UTC(2026, 10, 23, 9)) {
  let sleepers: Sleeper[] = []

  const delay: Delay = (ms, signal) =>
    new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason)
      const sleeper = { until: now + ms, wake: resolve }
      sleepers.push(sleeper)
      signal.addEventListener('abort', () => {
        sleepers = sleepers.filter((one) => one !== sleeper)
        reject(signal.reason)
      })
    })

  return {
    clock: () => now,
    delay,
    /** The number of running delays. */
    waiting: () => sleepers.length,
    async advance(ms: number): Promise<void> {
      await settle()
      now += ms
      for (const { wake } of sleepers.filter(({ until }) => until <= now)) wake()
      sleepers = sleepers.filter(({ until }) => until > now)
      await settle()
    },
  }
}
