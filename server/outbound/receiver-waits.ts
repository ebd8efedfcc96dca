/** Says why a receiver gets no notice now, and when a notice is tried next. Pure. */
import type { Notice, ReceiverState } from '../store/outbox.ts'

export type Receivers = {
  /** The names of the configured receivers. */
  known: string[]
  states: ReceiverState[]
  /** Epoch ms. */
  now: number
}

/** `until` is in epoch ms. */
export type Wait = { kind: 'unknown' } | { kind: 'off' } | { kind: 'paused'; until: number }

export function waitOf(name: string, { known, states, now }: Receivers): Wait | undefined {
  if (!known.includes(name)) return { kind: 'unknown' }
  const { status = 'on', pausedUntil = null } = states.find((state) => state.name === name) ?? {}
  if (status !== 'on') return { kind: 'off' }
  return pausedUntil !== null && pausedUntil > now ? { kind: 'paused', until: pausedUntil } : undefined
}

/** The time of the next try in epoch ms, or undefined if there is none before an operator changes something. */
export function nextTryOf(
  { receiver, nextAt }: Pick<Notice, 'receiver' | 'nextAt'>,
  receivers: Receivers,
): number | undefined {
  const wait = receiver === null ? undefined : waitOf(receiver, receivers)
  if (wait === undefined) return nextAt
  return wait.kind === 'paused' ? Math.max(nextAt, wait.until) : undefined
}
