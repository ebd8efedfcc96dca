/**
 * Limits the calls to WeChat while WeChat refuses all of them, because refused calls count against WeChat's quotas. After
 * `REFUSALS` refusals in a row, one call per `PROBE_MS` is made, and every other caller gets the last refusal. The first success
 * removes the limit.
 */

// A few refusals do not affect other users. A busy server reaches this number within a second.
const REFUSALS = 10

// Within this time after WeChat has recovered, pages get QR codes again.
const PROBE_MS = 5_000

export function createCircuitBreaker(clock: () => number) {
  let refusals = 0
  let lastRefusal: unknown
  let nextProbeAt = 0

  return async <T>(call: () => Promise<T>): Promise<T> => {
    if (refusals >= REFUSALS && clock() < nextProbeAt) throw lastRefusal
    nextProbeAt = clock() + PROBE_MS
    try {
      const result = await call()
      refusals = 0
      return result
    } catch (refusal) {
      refusals++
      lastRefusal = refusal
      throw refusal
    }
  }
}
