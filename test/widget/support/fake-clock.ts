/** A fake clock with a list of the running sleeps. Only `advance` changes its time. */
import type { Clock } from '../../../widget/clock.ts'
import { changed } from './changes.ts'

type Sleeper = { at: number; wake: () => void }

export type FakeClock = Clock & {
  /** Returns the remaining times of the running sleeps, the shortest first. */
  readonly sleeps: number[]
  advance(ms: number): Promise<void>
}

export function createFakeClock(random = 0.5): FakeClock {
  let time = 1000
  const sleepers = new Set<Sleeper>()

  return {
    now: () => time,
    random: () => random,
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        if (signal.aborted) return reject(signal.reason)
        const sleeper = { at: time + ms, wake: resolve }
        sleepers.add(sleeper)
        changed()
        signal.addEventListener('abort', () => {
          sleepers.delete(sleeper)
          reject(signal.reason)
        })
      }),
    get sleeps() {
      return [...sleepers].map(({ at }) => at - time).sort((a, b) => a - b)
    },
    async advance(ms) {
      const end = time + ms
      for (;;) {
        const [next] = [...sleepers].filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)
        if (!next) break
        time = next.at
        sleepers.delete(next)
        next.wake()
        await settle()
      }
      time = end
      await settle()
    },
  }
}

/**
 * Waits until all pending promise callbacks have run. The function uses a message and not a timer, because browsers
 * delay nested timers.
 */
export function settle(): Promise<void> {
  const { port1, port2 } = new MessageChannel()
  return new Promise((resolve) => {
    port1.onmessage = () => {
      port1.close()
      resolve()
    }
    port2.postMessage(null)
  })
}
