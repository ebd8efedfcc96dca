/** A limit per key and minute, counted in this process, so that one tenant cannot use up the quota of all. */

const WINDOW_MS = 60_000

/** True when one more is allowed, which is then counted. Each minute starts at zero. */
type RateLimit = (key: string) => boolean

export function createRateLimit(limit: number, clock: () => number): RateLimit {
  let windowEnd = 0
  let counts = new Map<string, number>()
  return (key) => {
    if (clock() >= windowEnd) {
      windowEnd = clock() + WINDOW_MS
      counts = new Map()
    }
    const count = (counts.get(key) ?? 0) + 1
    if (count <= limit) counts.set(key, count)
    return count <= limit
  }
}
