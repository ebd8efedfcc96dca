/** A fake clock with timers. The test advances the clock, and due timers run. */
import type { SetTimer } from '../../server/platform.ts'

export function createFakeTime(start = Date.UTC(2026, 0, 15, 8)) {
  let now = start
  const timers = new Set<{ at: number; run: () => void }>()

  const setTimer: SetTimer = (run, ms) => {
    const timer = { at: now + ms, run }
    timers.add(timer)
    return () => timers.delete(timer)
  }

  return {
    clock: () => now,
    setTimer,
    delay: (ms: number, signal?: AbortSignal) =>
      new Promise<void>((resolve, reject) => {
        const cancel = setTimer(resolve, ms)
        signal?.addEventListener('abort', () => {
          cancel()
          reject(signal.reason)
        })
      }),
    /** Advances the clock and runs the due timers in order. */
    advance(ms: number): void {
      const until = now + ms
      for (;;) {
        const [next] = [...timers].filter(({ at }) => at <= until).sort((a, b) => a.at - b.at)
        if (!next) break
        timers.delete(next)
        now = Math.max(now, next.at)
        next.run()
      }
      now = until
    },
    /** Advances the clock without running timers, as if the machine had paused. */
    jump(ms: number): void {
      now += ms
    },
    /** Runs each timer that is already due once, for example after `jump`. Returns whether a timer was due. */
    fire(): boolean {
      const due = [...timers].filter(({ at }) => at <= now).sort((a, b) => a.at - b.at)
      for (const timer of due) if (timers.delete(timer)) timer.run()
      return due.length > 0
    },
    pending: () => timers.size,
  }
}
