/**
 * Starts the requests of pages in turn. Node only.
 *
 * After a restart, all pages connect within a few seconds. On two cores the requests of 19,000 pages take about 10 s of CPU.
 *
 * Steps: Up to `AT_ONCE` requests run at once. The others wait here, and the oldest starts first, after `TURNS` turns of the event
 * loop. A request that has waited `MAX_WAIT_MS` is refused, which takes less CPU than an answer. Callbacks from WeChat and calls
 * of the API do not wait here, because WeChat waits only 5 s for an answer.
 *
 * Why turns: libuv accepts one connection in each turn. If each turn also answered a page, a callback would wait in the kernel
 * behind all pages that connected before it. In `npm run bench storm`, `/healthz` took 5.3 s without this queue, and 0.3 s with it.
 *
 * What could go wrong: A waiting request keeps its headers in memory. `MAX_CONNECTIONS` limits the number of requests.
 */
import { BindError } from '../errors.ts'

/** `start` must not reject. */
export type QueuedRequest = { start(): Promise<void>; refuse(error: BindError): void }

export type RequestQueue = (request: QueuedRequest) => void

type QueueSettings = {
  /** Returns ms since any fixed time. */
  clock: () => number
  /** Calls back in the next turn of the event loop. */
  nextTurn: (callback: () => void) => unknown
}

// A token is decrypted on one of the four threads of Node's pool. Each thread has a token, and some tokens are ready for it.
export const AT_ONCE = 16

export const TURNS = 4

export const MAX_WAIT_MS = 3_000

// More refusals would delay the next connection by more than 10 ms.
const REFUSED_IN_TURN = 20

// Sent as `Retry-After`. The element adds a random pause, so that many pages do not return together.
const RETRY_AFTER_SECONDS = 5

// Started requests are removed from the list in parts of this size. Removing each one would move all others.
const STARTED_IN_LIST = 1_000

export function createRequestQueue({ clock, nextTurn }: QueueSettings): RequestQueue {
  let list: (QueuedRequest & { until: number })[] = []
  /** The index of the oldest request that still waits. */
  let first = 0
  let running = 0
  let turns = 0
  let isScheduled = false

  const isEmpty = () => first === list.length

  function run({ start }: QueuedRequest): void {
    running++
    void start().then(() => {
      running--
      schedule()
    })
  }

  function schedule(): void {
    if (isScheduled || isEmpty() || running >= AT_ONCE) return
    isScheduled = true
    nextTurn(takeTurn)
  }

  function takeTurn(): void {
    isScheduled = false
    refuseLate()
    if (++turns % TURNS === 0 && !isEmpty()) run(list[first++]!)
    if (first >= STARTED_IN_LIST) {
      list = list.slice(first)
      first = 0
    }
    schedule()
  }

  function refuseLate(): void {
    const now = clock()
    for (let left = REFUSED_IN_TURN; left > 0 && !isEmpty() && list[first]!.until <= now; left--) {
      list[first++]!.refuse(overloaded())
    }
  }

  return ({ start, refuse }) => {
    if (running < AT_ONCE && isEmpty()) return run({ start, refuse })
    list.push({ start, refuse, until: clock() + MAX_WAIT_MS })
    schedule()
  }
}

const overloaded = () =>
  new BindError('OVERLOADED', `Too many pages connect at once: retry in ${RETRY_AFTER_SECONDS} s.`, {
    retryAfterSeconds: RETRY_AFTER_SECONDS,
  })
