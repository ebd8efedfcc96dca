/** Counts the requests and timers that code under test has under way, by standing in front of the page's own. */

export type Pending = { requests: number; timers: number; end(): void }

export function watchPending(): Pending {
  const { fetch, setTimeout, clearTimeout } = window
  const timers = new Set<number>()
  const pending = {
    requests: 0,
    get timers() {
      return timers.size
    },
    end: () => void Object.assign(window, { fetch, setTimeout, clearTimeout }),
  }

  window.fetch = (...request) => {
    pending.requests++
    return fetch(...request).finally(() => pending.requests--)
  }
  window.setTimeout = ((run: () => void, ms?: number) => {
    const timer = setTimeout(() => {
      timers.delete(timer)
      run()
    }, ms)
    timers.add(timer)
    return timer
  }) as typeof window.setTimeout
  window.clearTimeout = (timer) => {
    timers.delete(timer as number)
    clearTimeout(timer)
  }
  return pending
}
