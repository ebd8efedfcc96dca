/** Counts pending requests and timers by wrapping `fetch` and `setTimeout`, and adds a header with the test's id to each request. */
import { changed } from './changes.ts'

export type Pending = { requests: number; timers: number; end(): void }

/** The id of the current test. With it, the fake server can reject a late request of the previous test. */
export const TEST_HEADER = 'X-Test'

export function watchPending(test: string): Pending {
  const { fetch, setTimeout, clearTimeout } = window
  const timers = new Set<number>()
  const pending = {
    requests: 0,
    get timers() {
      return timers.size
    },
    end: () => void Object.assign(window, { fetch, setTimeout, clearTimeout }),
  }

  function count(more: 1 | -1): void {
    pending.requests += more
    changed()
  }

  window.fetch = (url, init) => {
    count(1)
    const headers = new Headers(init?.headers)
    headers.set(TEST_HEADER, test)
    return fetch(url, { ...init, headers }).finally(() => count(-1))
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
