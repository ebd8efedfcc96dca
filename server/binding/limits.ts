/**
 * The limits of attempts. The counters are in the store, so they include the attempts at all instances. Each limit has a window
 * that begins with the first attempt. An attempt counts even if it fails later, for example if WeChat refuses the QR code.
 */
import { BindError } from '../errors.ts'
import type { Plan } from '../store/plan.ts'
import type { Identity, Store, TicketEpoch, Tx } from '../store/store.ts'

export type QrLimits = {
  qrPerMinute: number
  qrPerHour: number
  qrPerDay: number
  tenantQrPerMinute: number
  tenantQrPerDay: number
}

/** `message` is the message of the error when the limit is reached. */
type Limit = { scope: string; most: number; ms: number; message: string }

/** Counts attempts. This is a unit of work (the part of a transaction that belongs to one caller), or the store. */
type Counter<T> = { countAttempt(scope: string, limit: number, until: number, now: number): T }

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const DAY_MS = 24 * HOUR_MS

// A user has three tickets an hour with three tries each, so an attacker has nine guesses at one of 10,000 codes.
const WRONG_DIGITS_AN_HOUR = 9

const wrongDigits = (user: number): Limit => ({
  scope: `digits/hour/user/${user}`,
  most: WRONG_DIGITS_AN_HOUR,
  ms: HOUR_MS,
  message: `The digits were wrong ${WRONG_DIGITS_AN_HOUR} times within an hour: wait until the hour is over.`,
})

// Without this option a page would wait for four fsyncs. The ticket is written later, and its fsync also covers the counts.
const WITH_THE_TICKET = { isDurableLater: true }

/** Web authorizations have the same limits as QR codes, but are counted separately. */
type Attempt = 'qr' | 'oauth'

const nouns: Record<Attempt, string> = { qr: 'new QR codes', oauth: 'authorizations' }

const ofUser = (attempt: Attempt, user: number, limits: QrLimits): Limit[] => {
  const limit = (unit: string, ms: number, most: number): Limit => ({
    scope: `${attempt}/${unit}/user/${user}`,
    most,
    ms,
    message: `The limit is ${most} ${nouns[attempt]} per user and ${unit}: wait${attempt === 'qr' ? ', or show the current one' : ''}.`,
  })
  return [
    limit('minute', MINUTE_MS, limits.qrPerMinute),
    limit('hour', HOUR_MS, limits.qrPerHour),
    limit('day', DAY_MS, limits.qrPerDay),
  ]
}

const ofTenant = (attempt: Attempt, tenant: string, limits: QrLimits): Limit[] => {
  const limit = (unit: string, ms: number, most: number): Limit => ({
    scope: `${attempt}/${unit}/tenant/${tenant}`,
    most,
    ms,
    message: `The tenant has reached its limit of ${most} ${nouns[attempt]} per ${unit}: wait.`,
  })
  return [limit('minute', MINUTE_MS, limits.tenantQrPerMinute), limit('day', DAY_MS, limits.tenantQrPerDay)]
}

/**
 * Counts an attempt to make a QR code or an authorization. If a limit is reached, throws `RATE_LIMITED` and does not count the attempt. If both
 * limits are reached, the error names the limit of the user, not the limit of the tenant. Returns the epoch in which the QR code is
 * requested.
 */
export async function countAttempt(
  store: Store,
  attempt: Attempt,
  identity: Identity,
  limits: QrLimits,
  now: number,
): Promise<TicketEpoch> {
  const tenantLimits = ofTenant(attempt, identity.tenant, limits)
  // The refusal is thrown after the commit. An error inside the transaction would roll back the transaction, and its other units
  // of work would have to run again.
  const counted = await store.write(function* (tx) {
    const asked = yield* tx.ticketEpoch(identity)
    const digits = attempt === 'qr' ? [wrongDigits(asked.user)] : []
    const userLimits = ofUser(attempt, asked.user, limits)
    const refusal = yield* refusalOf(tx, [...digits, ...userLimits, ...tenantLimits], now)
    if (refusal) return { refusal }
    for (const limit of userLimits) yield* count(tx, limit, now)
    return { asked }
  }, WITH_THE_TICKET)
  if (counted.refusal) throw counted.refusal
  for (const limit of tenantLimits) {
    if (await count(store, limit, now)) continue
    // Requests of other users or at other instances may have reached the limit after the counts were read.
    const late = await store.write((tx) => refusalOf(tx, [limit], now))
    if (late) throw late
  }
  return counted.asked
}

/** Returns the refusal if the user has given too many wrong digits. */
export const refusalOfDigits = (tx: Tx, user: number, now: number) => refusalOf(tx, [wrongDigits(user)], now)

export const countWrongDigits = (tx: Tx, user: number, now: number) => count(tx, wrongDigits(user), now)

const count = <T>(counter: Counter<T>, { scope, most, ms }: Limit, now: number): T =>
  counter.countAttempt(scope, most, now + ms, now)

/** The error names the first limit that is reached. Its `Retry-After` is the time until no limit is reached. */
function* refusalOf(tx: Tx, limits: Limit[], now: number): Plan<BindError | undefined> {
  let message: string | undefined
  let until = now
  for (const limit of limits) {
    const window = yield* tx.rateWindow(limit.scope, now)
    if (!window || window.count < limit.most) continue
    message ??= limit.message
    until = Math.max(until, window.until)
  }
  if (message === undefined) return undefined
  return new BindError('RATE_LIMITED', message, { retryAfterSeconds: Math.ceil((until - now) / 1000) })
}
