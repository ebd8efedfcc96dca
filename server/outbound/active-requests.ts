/**
 * Limits the active requests of all receivers together. A request is active until it is answered, but at most for its first
 * second. More active requests would delay the callbacks, which use the same CPU. After a second a request needs no CPU. If it
 * still counted, receivers that do not answer would block the others.
 */
import type { SetTimer } from '../platform.ts'

type ActiveRequests = {
  /** How many requests may begin now. */
  room(): number
  /** Counts a request. Returns the function to call when it is answered. A second call of that function has no effect. */
  begin(): () => void
}

const MAX_ACTIVE = 48
const ACTIVE_MS = 1_000

/** `onRoom` is called when requests may begin again. */
export function createActiveRequests(setTimer: SetTimer, onRoom: () => void): ActiveRequests {
  let active = 0

  function begin() {
    let isActive = true
    active++
    const rest = () => {
      if (isActive) active--
      isActive = false
    }
    const cancelTimer = setTimer(() => {
      rest()
      onRoom()
    }, ACTIVE_MS)
    return () => {
      cancelTimer()
      rest()
      // Waits until half of the requests are free. A claim for each answer would cost a write for each answer.
      if (active <= MAX_ACTIVE / 2) onRoom()
    }
  }

  return { room: () => MAX_ACTIVE - active, begin }
}
