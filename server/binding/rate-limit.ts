/** Limits calls per key and minute, counted in this process: one tenant must not use up the WeChat quota that all tenants share. */

const WINDOW_MS = 60_000

/** True when the call is allowed, which counts it. All counts start again at 0 with the first call after a minute has passed. */
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
