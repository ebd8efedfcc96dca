/**
 * The limits of attempts, counted in the store and therefore over all instances. Each limit has a window that begins with its first
 * attempt. An attempt counts whatever becomes of it: WeChat may refuse the QR code, the ticket may be replaced or closed.
 */
import { BindError } from '../errors.ts'
import type { Plan } from '../store/plan.ts'
import type { Identity, Store, Tx } from '../store/store.ts'

export type QrLimits = {
  qrPerMinute: number
  qrPerHour: number
  qrPerDay: number
  tenantQrPerMinute: number
  tenantQrPerDay: number
}

/** `message`: for the refusal of an attempt. */
type Limit = { scope: string; most: number; ms: number; message: string }

/** A unit of work, or the store. */
type Counter<T> = { countAttempt(scope: string, limit: number, until: number, now: number): T }

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const DAY_MS = 24 * HOUR_MS

// Nine guesses an hour at one of 10,000 codes: three tickets with three tries each.
const WRONG_DIGITS_AN_HOUR = 9

const wrongDigits = (user: number): Limit => ({
  scope: `digits/hour/user/${user}`,
  most: WRONG_DIGITS_AN_HOUR,
  ms: HOUR_MS,
  message: `${WRONG_DIGITS_AN_HOUR} wrong digits within an hour: wait.`,
})

const ofUser = (user: number, limits: QrLimits): Limit[] => [
  userLimit(user, 'minute', MINUTE_MS, limits.qrPerMinute),
  userLimit(user, 'hour', HOUR_MS, limits.qrPerHour),
  userLimit(user, 'day', DAY_MS, limits.qrPerDay),
]

const ofTenant = (tenant: string, limits: QrLimits): Limit[] => [
  tenantLimit(tenant, 'minute', MINUTE_MS, limits.tenantQrPerMinute),
  tenantLimit(tenant, 'day', DAY_MS, limits.tenantQrPerDay),
]

const userLimit = (user: number, unit: string, ms: number, most: number): Limit => ({
  scope: `qr/${unit}/user/${user}`,
  most,
  ms,
  message: `The limit is ${most} new QR codes per user and ${unit}: wait, or show the current one.`,
})

const tenantLimit = (tenant: string, unit: string, ms: number, most: number): Limit => ({
  scope: `qr/${unit}/tenant/${tenant}`,
  most,
  ms,
  message: `The tenant has reached its limit of ${most} new QR codes per ${unit}: wait.`,
})

/**
 * Counts an attempt to make a QR code. Throws `RATE_LIMITED` without counting it if a limit is reached. A user is told of the own
 * limit before that of the tenant.
 */
export async function countQrcode(store: Store, identity: Identity, limits: QrLimits, now: number): Promise<void> {
  const tenantLimits = ofTenant(identity.tenant, limits)
  // The refusal is thrown after the commit: thrown inside the transaction, it would make the units that share it run again.
  const refusal = await store.write(function* (tx) {
    const user = yield* tx.ensureUser(identity)
    const userLimits = ofUser(user, limits)
    const refusal = yield* refusalOf(tx, [wrongDigits(user), ...userLimits, ...tenantLimits], now)
    if (refusal) return refusal
    for (const limit of userLimits) yield* count(tx, limit, now)
    return undefined
  })
  if (refusal) throw refusal
  for (const limit of tenantLimits) {
    if (await count(store, limit, now)) continue
    // Other users of the tenant, or other instances, have reached the limit since it was read.
    const late = await store.write((tx) => refusalOf(tx, [limit], now))
    if (late) throw late
  }
}

/** Returns the refusal if the user has given too many wrong digits. */
export const refusalOfDigits = (tx: Tx, user: number, now: number) => refusalOf(tx, [wrongDigits(user)], now)

export const countWrongDigits = (tx: Tx, user: number, now: number) => count(tx, wrongDigits(user), now)

const count = <T>(counter: Counter<T>, { scope, most, ms }: Limit, now: number): T =>
  counter.countAttempt(scope, most, now + ms, now)

/** Names the first limit that is reached. `Retry-After` is the time until none of them is. */
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
