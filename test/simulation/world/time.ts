/** The clock of a simulation. It jumps, as after a pause of the machine: timers that are due then fire late, each once. */
import type { SetTimer } from '../../../server/platform.ts'

export type SimulatedTime = ReturnType<typeof createTime>

type Timer = { at: number; run: () => void }

export function createTime(start: number) {
  let now = start
  const timers = new Set<Timer>()

  const setTimer: SetTimer = (run, ms) => {
    const timer = { at: now + ms, run }
    timers.add(timer)
    return () => timers.delete(timer)
  }

  const every: SetTimer = (run, ms) => {
    let cancel = setTimer(repeat, ms)
    function repeat(): void {
      cancel = setTimer(repeat, ms)
      run()
    }
    return () => cancel()
  }

  return {
    clock: () => now,
    setTimer,
    every,
    delay: (ms: number, signal?: AbortSignal) =>
      new Promise<void>((resolve, reject) => {
        const cancel = setTimer(resolve, ms)
        signal?.addEventListener('abort', () => {
          cancel()
          reject(signal.reason)
        })
      }),
    timeLimit(ms: number): AbortSignal {
      const controller = new AbortController()
      setTimer(() => controller.abort(new DOMException('late', 'TimeoutError')), ms)
      return controller.signal
    },
    jump(ms: number): void {
      now += ms
    },
    /** Fires the timers that are due. Returns whether there was one. */
    fire(): boolean {
      const due = [...timers].filter(({ at }) => at <= now).sort((a, b) => a.at - b.at)
      for (const timer of due) if (timers.delete(timer)) timer.run()
      return due.length > 0
    },
  }
}
