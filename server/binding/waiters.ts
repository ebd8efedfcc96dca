/** Who waits for a user's next version. A wake is never lost: each waiter names the version it knows. */
import { BindError } from '../errors.ts'
import type { SetTimer } from '../platform.ts'
import type { CommitNotice, Identity } from '../store/store.ts'

/** Why a wait ended. `look`: something may have changed; `over`: nothing was heard of until its time was over or the server stopped. */
export type Ending = 'look' | 'over'

/** One page that waits. A plain record without timer or closure of its own: there may be tens of thousands. */
export type Waiter = {
  readonly user: string
  readonly tenant: string
  readonly known: number
  dueAt: number
  /** What its time's end is. */
  atDue: Ending
  ending: Ending | undefined
  listener: ((ending: Ending) => void) | undefined
}

export type WaiterLimits = { inAll: number; perTenant: number; perUser: number }

export type Waiters = {
  /** Throws `OVERLOADED` beyond a limit. */
  park(identity: Identity, known: number, ms: number): Waiter
  /** Calls `listener` once: when a version above the known one is committed, the time is over, or the server stops. */
  onEnd(waiter: Waiter, listener: (ending: Ending) => void): void
  /** Nobody waits any more; the listener is not called. */
  leave(waiter: Waiter): void
  /** Looks again in `ms` at the latest: something ends then that no commit tells of. */
  recheckWithin(waiter: Waiter, ms: number): void
  /** Ends the waits that know an older version; after a gap all of them, a few at a time, so that each looks again. */
  wake(notice: CommitNotice): void
  /** Ends every wait, now and from now on. */
  close(): void
  count(): number
}

export type WaiterSettings = {
  limits: WaiterLimits
  setTimer: SetTimer
  /** In ms; only its differences count. */
  clock: () => number
}

// One timer looks after all: twenty glances a second at 10,000 waiters cost half a hundredth of a core, a timer each ten times that.
const TICK_MS = 50

// Who is answered asks again at once. A crowd that came as one would be answered as one each time, and hold up all others for
// a quarter of a second; so it is answered, and from then on asks, over two.
const ENDS_PER_TICK = 250

// Each looks into the store: 10,000 pages do so within 5 s, and most connections stay free for callbacks.
const RECHECKS_AT_ONCE = 20
const RECHECK_PAUSE_MS = 10

// The page adds a random pause of its own, so that a crowd does not come back as one.
const RETRY_AFTER_SECONDS = 5

export function createWaiters({ limits, setTimer, clock }: WaiterSettings): Waiters {
  const parked = new Map<string, Waiter[]>()
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
    scheduleTick(waiter.dueAt)
  }

  function leave(waiter: Waiter): void {
    const together = parked.get(waiter.user)
    const index = together?.indexOf(waiter) ?? -1
    if (!together || index < 0) return
    together.splice(index, 1)
    if (together.length === 0) parked.delete(waiter.user)
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
    leave(waiter)
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
    for (const together of parked.values()) {
      for (const waiter of together) {
        if (waiter.dueAt <= now && due.length < ENDS_PER_TICK) due.push(waiter)
        else next = Math.min(next, waiter.dueAt)
      }
    }
    nextTickAt = Infinity
    for (const waiter of due) end(waiter, waiter.atDue)
    if (count > 0) scheduleTick(Math.max(next, now + TICK_MS))
  }

  function recheckInBatches(waiters: Waiter[]): void {
    for (const waiter of waiters.splice(0, RECHECKS_AT_ONCE)) end(waiter, 'look')
    if (waiters.length > 0) cancelRechecks = setTimer(() => recheckInBatches(waiters), RECHECK_PAUSE_MS)
  }

  return {
    park(identity, known, ms) {
      const user = keyOf(identity)
      const { tenant } = identity
      const dueAt = clock() + ms
      const waiter: Waiter = { user, tenant, known, dueAt, atDue: 'over', ending: undefined, listener: undefined }
      if (isClosed) {
        waiter.ending = 'over'
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
    leave,
    recheckWithin(waiter, ms) {
      const dueAt = clock() + ms
      if (dueAt > waiter.dueAt) return
      waiter.dueAt = dueAt
      waiter.atDue = 'look'
      scheduleTick(dueAt)
    },
    wake(notice) {
      if (notice === 'missed') {
        cancelRechecks()
        recheckInBatches(all())
        return
      }
      const { identity, version } = notice
      const newer = parked.get(keyOf(identity))?.filter(({ known }) => version > known)
      for (const waiter of newer ?? []) end(waiter, 'look')
    },
    close() {
      isClosed = true
      for (const waiter of all()) end(waiter, 'over')
    },
    count: () => count,
  }
}

const keyOf = ({ tenant, account, userId }: Identity) => JSON.stringify([tenant, account, userId])

const scopes = [
  ['perUser', 'This user has'],
  ['perTenant', 'This tenant has'],
  ['inAll', 'This server has'],
] as const

const overloaded = (whose: string) =>
  new BindError('OVERLOADED', `${whose} as many waiting pages as may be: ask again in ${RETRY_AFTER_SECONDS} s.`, {
    retryAfterSeconds: RETRY_AFTER_SECONDS,
  })
