/** The times of the next attempt and of the pauses of a receiver. Pure. */
import type { Failure } from '../store/outbox.ts'

const SECOND = 1_000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE

/** The pauses between the attempts: three days and four hours in all. */
export const SCHEDULE_MS = [
  5 * SECOND,
  30 * SECOND,
  2 * MINUTE,
  10 * MINUTE,
  30 * MINUTE,
  2 * HOUR,
  5 * HOUR,
  10 * HOUR,
  14 * HOUR,
  20 * HOUR,
  24 * HOUR,
]

const MAX_RETRY_AFTER_MS = 24 * HOUR

const FIRST_PAUSE_MS = 5 * SECOND
const MAX_PAUSE_MS = 5 * MINUTE

// After this many failures in a row a receiver gets one notice at a time, with pauses of at most a minute.
const FAILURES_BEFORE_PAUSE = 5
const MAX_PAUSE_AFTER_FAILURES_MS = MINUTE

// A receiver with one of these answers is overloaded.
const OVERLOADED = [429, 502, 504]

/** A refused attempt. `retryAfterMs` is undefined without the header `Retry-After`. */
export type Refusal = { failure: Failure; retryAfterMs: number | undefined }

/**
 * The time of the next attempt, or undefined after the last attempt. `attempts` includes the attempt that has just failed. `Retry-After` can only make
 * the pause longer, because short values would use up all attempts within minutes.
 */
export function retryAt(now: number, attempts: number, { retryAfterMs = 0 }: Refusal, chance: number) {
  const pause = SCHEDULE_MS[attempts - 1]
  return pause === undefined ? undefined : now + Math.max(withJitter(pause, chance), retryAfterMs)
}

/** The end of the receiver's pause, in which it gets no notice; null without a pause. `failures` includes the attempt that has just failed. */
export function pausedUntil(now: number, failures: number, refusal: Refusal, chance: number): number | null {
  const { failure, retryAfterMs = 0 } = refusal
  const isOverloaded = OVERLOADED.includes(failure.status ?? 0) || (failure.status === 503 && retryAfterMs > 0)
  if (!isOverloaded && failures < FAILURES_BEFORE_PAUSE) return null
  const doublings = isOverloaded ? failures - 1 : failures - FAILURES_BEFORE_PAUSE
  const longest = isOverloaded ? MAX_PAUSE_MS : MAX_PAUSE_AFTER_FAILURES_MS
  const pause = withJitter(Math.min(FIRST_PAUSE_MS * 2 ** doublings, longest), chance)
  return now + Math.max(pause, isOverloaded ? retryAfterMs : 0)
}

/** Makes a pause up to a fifth longer, so that the retries of many notices are spread out. */
const withJitter = (ms: number, chance: number) => Math.round(ms * (1 + 0.2 * chance))

/** Reads `Retry-After`: seconds or a date. Undefined if it is missing, malformed or in the past; at most a day. */
export function readRetryAfter(header: string | null, now: number): number | undefined {
  const text = header?.trim() ?? ''
  const ms = /^\d+$/.test(text) ? Number(text) * SECOND : parseHttpDate(text) - now
  return ms > 0 ? Math.min(ms, MAX_RETRY_AFTER_MS) : undefined
}

// The three forms of RFC 9110. `Date.parse` accepts much more, for example "in 2049". The third form has no zone, and is in UTC.
const HTTP_DATE = /^\w{3,9}, \d\d[ -]\w{3}[ -]\d{2,4} \d\d:\d\d:\d\d GMT$/
const ASCTIME_DATE = /^\w{3} \w{3} [ \d]\d \d\d:\d\d:\d\d \d{4}$/

function parseHttpDate(text: string): number {
  if (HTTP_DATE.test(text)) return Date.parse(text)
  return ASCTIME_DATE.test(text) ? Date.parse(`${text} GMT`) : Number.NaN
}
