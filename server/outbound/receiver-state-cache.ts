/**
 * The stored states of the receivers, as this instance has last read or written them. The state limits the requests to a
 * receiver. A receiver that is paused or off gets no request. After a failure a receiver gets one request at a time, until it
 * accepts a request.
 */
import type { Outbox, ReceiverFailure, ReceiverState } from '../store/outbox.ts'

export type ReceiverStateCache = {
  /** Reads the states again, because other instances and commands change them too. */
  refresh(): Promise<void>
  /** How many requests the receiver may have in flight. */
  limitOf(name: string, now: number): number
  /** Failures since the last success. */
  failuresOf(name: string): number
  /** Saves a failure. `isSwitchedOff`: this failure has switched the receiver off. */
  failed(failed: ReceiverFailure): Promise<{ state: ReceiverState; isSwitchedOff: boolean }>
  /** Returns true if earlier failures of the receiver were deleted. */
  accepted(name: string, now: number): Promise<boolean>
}

const MAX_IN_FLIGHT = 8

export function createReceiverStateCache(
  outbox: Pick<Outbox, 'receivers' | 'receiverFailed' | 'receiverAccepted'>,
): ReceiverStateCache {
  let states = new Map<string, ReceiverState>()

  return {
    async refresh() {
      states = new Map((await outbox.receivers()).map((state) => [state.name, state]))
    },
    limitOf(name, now) {
      const state = states.get(name)
      if (!state) return MAX_IN_FLIGHT
      if (state.status !== 'on' || (state.pausedUntil ?? 0) > now) return 0
      return state.failures > 0 ? 1 : MAX_IN_FLIGHT
    },
    failuresOf: (name) => states.get(name)?.failures ?? 0,
    async failed(failed) {
      const { name } = failed
      const wasOn = (states.get(name)?.status ?? 'on') === 'on'
      const state = await outbox.receiverFailed(failed)
      states.set(name, state)
      return { state, isSwitchedOff: wasOn && state.status !== 'on' }
    },
    async accepted(name, now) {
      const state = states.get(name)
      // If a receiver accepts a request during a pause, the request was sent before the pause and does not end it.
      if (!state || state.failures === 0 || state.status !== 'on' || (state.pausedUntil ?? 0) > now) return false
      states.set(name, { ...state, failingSince: null, failures: 0, pausedUntil: null })
      await outbox.receiverAccepted(name, now)
      return true
    },
  }
}
