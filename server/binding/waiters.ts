/**
 * The long-polls that wait for a user's next version. A waiter is parked with the version that its page knows. A commit of a
 * higher version ends the wait. No wake-up is lost, because each poll names the version that its page knows.
 *
 * There may be tens of thousands of waiters, so they share one timer, which fires when the next waiter is due, at most every
 * `TICK_MS`. A timer for each waiter would cost ten times the CPU. The waiters are grouped by the tick in which they are due, so
 * a tick looks only at the waiters of past ticks. Looking at all 10,000 waiters took an eighth of the CPU of waiting.
 */
import { BindError } from '../errors.ts'
import type { SetTimer } from '../platform.ts'
import { identityKey } from '../store/identity.ts'
import type { CommitNotice, Identity } from '../store/store.ts'

/**
 * The user name under which the readers of a tenant's events wait. No user has this name. Every commit of the tenant ends their
 * wait.
 */
export const feedReaders = (tenant: string): Identity => ({ tenant, account: '', userId: '' })

/** Why a wait ended. `recheck`: the user may have changed and has to be read again. `timeout`: time is up, or the server stops. */
export type Ending = 'recheck' | 'timeout'

/** One waiting page. A plain record without a timer or a closure takes little memory. */
export type Waiter = {
  readonly user: string
  readonly tenant: string
  readonly known: number
  dueAt: number
  /** How the wait ends at `dueAt`. */
  atDue: Ending
  ending: Ending | undefined
  listener: ((ending: Ending) => void) | undefined
}

/** The longest wait of a poll. Proxies cut an idle response after 30 s at the earliest. */
export const MAX_WAIT_MS = 25_000

export type WaiterLimits = { inAll: number; perTenant: number; perUser: number }

export type Waiters = {
  /** Throws `OVERLOADED` beyond a limit. */
  park(identity: Identity, known: number, ms: number): Waiter
  /** Calls `listener` once: after a commit of a version above the known one, when time is up, or when the server stops. */
  onEnd(waiter: Waiter, listener: (ending: Ending) => void): void
  /** Removes a waiter, e.g. after its page has disconnected. The listener is not called. */
  leave(waiter: Waiter): void
  /** Ends the wait with `recheck` after at most `ms`. The time to confirm ends then, and no commit announces its end. */
  recheckWithin(waiter: Waiter, ms: number): void
  /** Ends the waits for older versions of the user. After a gap in the notices it ends all waits, a few at a time. */
  wake(notice: CommitNotice): void
  /** Ends every wait with `timeout`, a few hundred at a time. Waits that begin later end at once. */
  close(): void
  count(): number
}

type WaiterSettings = {
  limits: WaiterLimits
  setTimer: SetTimer
  /** Returns ms since any fixed time. */
  clock: () => number
}

// Waits of 25 s form at most 501 groups.
const TICK_MS = 50

const tickOf = (ms: number) => Math.floor(ms / TICK_MS)

// An answered page polls again at once. Without this limit, 10,000 pages that arrived together would be answered together each
// time, and block the event loop for 250 ms. With it, they are answered over two seconds, so their next polls are spread out.
const ENDS_PER_TICK = 250

// Each recheck reads the store. At this limit 10,000 pages take 5 s, and most database connections stay free for callbacks.
const RECHECKS_AT_ONCE = 20
const RECHECK_PAUSE_MS = 10

// 19,000 answers at once would block the event loop for half a second. After each of these parts, other events of the loop run.
const ENDS_AT_ONCE = 500
const END_PAUSE_MS = 1

// Sent as `Retry-After`. The element adds a random pause, so that many pages do not return together.
const RETRY_AFTER_SECONDS = 5

export function createWaiters({ limits, setTimer, clock }: WaiterSettings): Waiters {
  const parked = new Map<string, Waiter[]>()
  const byTick = new Map<number, Set<Waiter>>()
  const perTenant = new Map<string, number>()
  let count = 0
  let isClosed = false
  let nextTickAt = Infinity
  let cancelTick = () => {}
  let cancelRechecks = () => {}

  const all = () => [...parked.values()].flat()

  function expectRoom(user: string, tenant: string): void {
    const held = { inAll: count, perTenant: perTenant.get(tenant) ?? 0, perUser: parked.get(user)?.length ?? 0 }
    for (const [limit, whose] of scopes) if (held[limit] >= limits[limit]) throw overloaded(whose)
  }

  function enter(waiter: Waiter): void {
    const together = parked.get(waiter.user)
    if (together) together.push(waiter)
    else parked.set(waiter.user, [waiter])
    perTenant.set(waiter.tenant, (perTenant.get(waiter.tenant) ?? 0) + 1)
    count++
    awaitTick(waiter)
  }

  function awaitTick(waiter: Waiter): void {
    const tick = tickOf(waiter.dueAt)
    const together = byTick.get(tick)
    if (together) together.add(waiter)
    else byTick.set(tick, new Set([waiter]))
    scheduleTick(waiter.dueAt)
  }

  function leaveTick(waiter: Waiter): void {
    const tick = tickOf(waiter.dueAt)
    const together = byTick.get(tick)
    together?.delete(waiter)
    if (together?.size === 0) byTick.delete(tick)
  }

  function remove(waiter: Waiter): void {
    const together = parked.get(waiter.user)
    const index = together?.indexOf(waiter) ?? -1
    if (!together || index < 0) return
    together.splice(index, 1)
    if (together.length === 0) parked.delete(waiter.user)
    leaveTick(waiter)
    const others = (perTenant.get(waiter.tenant) ?? 1) - 1
    if (others > 0) perTenant.set(waiter.tenant, others)
    else perTenant.delete(waiter.tenant)
    if (--count > 0) return
    cancelTick()
    cancelRechecks()
    nextTickAt = Infinity
  }

  function end(waiter: Waiter, ending: Ending): void {
    if (waiter.ending) return
    waiter.ending = ending
    remove(waiter)
    waiter.listener?.(ending)
  }

  function scheduleTick(dueAt: number): void {
    if (dueAt >= nextTickAt) return
    cancelTick()
    nextTickAt = dueAt
    cancelTick = setTimer(tick, Math.max(0, dueAt - clock()))
  }

  function tick(): void {
    const now = clock()
    const due: Waiter[] = []
    let next = Infinity
    for (const tick of [...byTick.keys()].sort((a, b) => a - b)) {
      // Only the first of the later ticks is read. It contains the next waiter that is due.
      if (tick > tickOf(now) && next < Infinity) break
      for (const waiter of byTick.get(tick)!) {
        if (waiter.dueAt <= now && due.length < ENDS_PER_TICK) due.push(waiter)
        else next = Math.min(next, waiter.dueAt)
      }
    }
    nextTickAt = Infinity
    for (const waiter of due) end(waiter, waiter.atDue)
    if (count > 0) scheduleTick(Math.max(next, now + TICK_MS))
  }

  function recheckInBatches(waiters: Waiter[]): void {
    for (const waiter of waiters.splice(0, RECHECKS_AT_ONCE)) end(waiter, 'recheck')
    if (waiters.length > 0) cancelRechecks = setTimer(() => recheckInBatches(waiters), RECHECK_PAUSE_MS)
  }

  function endInBatches(waiters: Waiter[]): void {
    for (const waiter of waiters.splice(0, ENDS_AT_ONCE)) end(waiter, 'timeout')
    if (waiters.length > 0) setTimer(() => endInBatches(waiters), END_PAUSE_MS)
  }

  return {
    park(identity, known, ms) {
      const user = identityKey(identity)
      const { tenant } = identity
      const dueAt = clock() + ms
      const waiter: Waiter = { user, tenant, known, dueAt, atDue: 'timeout', ending: undefined, listener: undefined }
      if (isClosed) {
        waiter.ending = 'timeout'
        return waiter
      }
      expectRoom(user, tenant)
      enter(waiter)
      return waiter
    },
    onEnd(waiter, listener) {
      if (waiter.ending) listener(waiter.ending)
      else waiter.listener = listener
    },
    leave(waiter) {
      // Marks the waiter as ended too, because a batch of rechecks may still contain the waiter.
      waiter.ending ??= 'timeout'
      remove(waiter)
    },
    recheckWithin(waiter, ms) {
      const dueAt = clock() + ms
      if (waiter.ending || dueAt > waiter.dueAt) return
      leaveTick(waiter)
      waiter.dueAt = dueAt
      waiter.atDue = 'recheck'
      awaitTick(waiter)
    },
    wake(notice) {
      if (notice === 'missed') {
        cancelRechecks()
        recheckInBatches(all())
        return
      }
      const { identity, version } = notice
      for (const name of [identity, feedReaders(identity.tenant)]) {
        const newer = parked.get(identityKey(name))?.filter(({ known }) => version > known)
        for (const waiter of newer ?? []) end(waiter, 'recheck')
      }
    },
    close() {
      isClosed = true
      endInBatches(all())
    },
    count: () => count,
  }
}

const scopes = [
  ['perUser', 'This user has'],
  ['perTenant', 'This tenant has'],
  ['inAll', 'This server has'],
] as const

const overloaded = (whose: string) =>
  new BindError('OVERLOADED', `${whose} reached its limit of waiting pages: retry in ${RETRY_AFTER_SECONDS} s.`, {
    retryAfterSeconds: RETRY_AFTER_SECONDS,
  })
