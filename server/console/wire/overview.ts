/** The page Overview: the funnel of a period, and the server's present state. */
import type { Advice, Light } from './advice.ts'

export type Range = '24h' | '7d' | '30d'

/**
 * Counts of a period. `shown`: new QR codes. `scanned`: QR codes that were scanned, or whose code was sent to the chat. `confirmed`:
 * scans that needed no confirmation or were confirmed. `bound`: bindings from scans and codes. `unbound`: ended bindings.
 */
export type Funnel = { shown: number; scanned: number; confirmed: number; bound: number; unbound: number }

export type Overview = {
  range: Range
  tenant: string | null
  from: number
  until: number
  funnel: Funnel
  /** The preceding period of the same length. */
  previous: Funnel
  /** The tenants with the most bindings first. At most 100. */
  byTenant: ({ tenant: string } & Funnel)[]
  /**
   * One point per hour, without gaps. The page sums the points of each day in the reader's time zone. `at`: when the hour begins.
   */
  series: ({ at: number } & Funnel)[]
  timeToBind: TimeToBind
  now: Now
}

/** From the QR code to the binding, in seconds. The quantiles are null while `count` is 0. */
export type TimeToBind = {
  count: number
  p50: number | null
  p90: number | null
  p99: number | null
  /** `upTo` is exclusive and in seconds; null for the last bucket, which has no limit. */
  buckets: { from: number; upTo: number | null; count: number }[]
}

export type Now = {
  /** Pages that wait, at all instances. `limit`: `MAX_WAITERS` of all instances. */
  waiting: Light & { pages: number; limit: number; instances: number }
  /** The last callback that was accepted by any instance. */
  lastCallback: Light & { at: number | null }
  accessToken: Light & { fetchedAt: number | null; expiresAt: number | null }
  /** Refusals of WeChat's API since `since`, the most recent first. */
  wechatErrors: Light & { since: number; codes: WechatErrorCount[] }
  /**
   * `seconds`: the age of the oldest event that waits for a receiver that is on. It is 0 if no event waits, and null without
   * receivers.
   */
  webhooks: Light & { seconds: number | null; receivers: number; off: number; waiting: number; failed: number }
}

/** `errcode`: WeChat's number, or 0 when WeChat could not be reached. */
export type WechatErrorCount = { errcode: number; count: number; lastAt: number; advice: Advice }
