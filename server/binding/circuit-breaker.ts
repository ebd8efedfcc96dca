/**
 * Limits the calls to WeChat while WeChat refuses all of them: after `REFUSALS` refusals in a row, one call per `PROBE_MS` is made,
 * and every other caller gets the last refusal. The first success ends this. Each refused call would count against WeChat's quotas.
 */

// A single fault does not stop other users; a second of refusals on a busy server does.
const REFUSALS = 10

// After WeChat has recovered, the next page that asks for a QR code gets one within this time.
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
