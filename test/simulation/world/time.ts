/**
 * The clock of a simulation. It jumps, as if the machine had paused. Timers that are due after a jump fire late, and
 * each of them only once.
 */
import type { SetTimer } from '../../../server/platform.ts'
import { createFakeTime } from '../../support/fake-time.ts'

export type SimulatedTime = ReturnType<typeof createTime>

export function createTime(start: number) {
  const time = createFakeTime(start)
  const { setTimer } = time

  const every: SetTimer = (run, ms) => {
    let cancel = setTimer(repeat, ms)
    function repeat(): void {
      cancel = setTimer(repeat, ms)
      run()
    }
    return () => cancel()
  }

  return {
    ...time,
    every,
    timeLimit(ms: number): AbortSignal {
      const controller = new AbortController()
      setTimer(() => controller.abort(new DOMException('late', 'TimeoutError')), ms)
      return controller.signal
    },
  }
}
