/** So many in any minute, counted in this process: a guard against one tenant using up what belongs to all. */

const WINDOW_MS = 60_000

/** True when one more is allowed; it is counted then. Old counts are forgotten as the clock moves on. */
export type Rate = (key: string) => boolean

export function createRateLimit(most: number, clock: () => number): Rate {
  let windowEnd = 0
  let counts = new Map<string, number>()
  return (key) => {
    if (clock() >= windowEnd) {
      windowEnd = clock() + WINDOW_MS
      counts = new Map()
    }
    const count = (counts.get(key) ?? 0) + 1
    if (count <= most) counts.set(key, count)
    return count <= most
  }
}
