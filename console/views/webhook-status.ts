/** The texts for the state of a receiver and for a failed delivery. */
import type { Failure, Receiver } from '../../server/console/wire.ts'
import type { Scope } from './scope.ts'

/** The status of the answer, or the code of a request without an answer. */
export const failureOf = (failure: Failure | null, { t }: Scope): string =>
  failure === null ? '' : failure.status === null ? (failure.error ?? '') : t.status(String(failure.status))

export function receiverState(receiver: Receiver, { state, t, format }: Scope): string {
  if (receiver.status === 'gone') return t.receiverGone
  if (receiver.status === 'off') return t.receiverOff
  const { pausedUntil } = receiver
  if (pausedUntil !== null && pausedUntil > state.now) return t.receiverPaused(format.duration(pausedUntil - state.now))
  return receiver.failures > 0 ? t.receiverFailing : t.receiverOn
}
