/** Row and advisory locks of one PostgreSQL transaction, taken in one order. */
import type { Plan } from '../plan.ts'
import type { Locks } from '../sql/locks.ts'

/** All that a unit has asked for, over all its runs. */
export type LockRequest = { openids: Set<string>; users: Set<number> }

/** The unit has to run again, with all it wants locked from the start. */
export class LockOrderError extends Error {}

/**
 * Locks on an engine with many writers. Who takes locks in the one order (openids, then users, each ascending) may wait for
 * them; who finds out later that it needs an earlier one takes it only while it is free, and else throws `LockOrderError`. So
 * nobody ever waits in a circle.
 */
export function* createLocks(wanted: LockRequest): Plan<Locks> {
  const held: LockRequest = { openids: new Set(), users: new Set() }

  const isLast = <T>(value: T, values: Set<T>) => [...values].every((each) => each < value)

  // What is asked for counts as held at once: on one connection, whatever is sent later is answered later.
  function* openid(name: string): Plan<void> {
    if (held.openids.has(name)) return
    const mayWait = held.users.size === 0 && isLast(name, held.openids)
    wanted.openids.add(name)
    held.openids.add(name)
    const { rows } = yield { text: mayWait ? WAIT_FOR_OPENID : TRY_OPENID, values: [`wechat-bind openid ${name}`] }
    if (!mayWait && !(rows as { ok: boolean }[])[0]?.ok) throw new LockOrderError('an openid is locked')
  }

  function* users(ids: number[]): Plan<boolean> {
    const missing = ids.filter((id) => id !== 0 && !held.users.has(id))
    if (missing.length === 0) return false
    const mayWait = missing.every((id) => isLast(id, held.users))
    for (const id of missing) {
      wanted.users.add(id)
      held.users.add(id)
    }
    const { rows } = yield { text: mayWait ? WAIT_FOR_USERS : TRY_USERS, values: [missing] }
    if (!mayWait && rows.length < new Set(missing).size) throw new LockOrderError('a user is locked')
    return true
  }

  for (const name of [...wanted.openids].sort()) yield* openid(name)
  yield* users([...wanted.users])
  return { users, openid }
}

const WAIT_FOR_OPENID = 'select pg_advisory_xact_lock(hashtextextended($1, 0))'
const TRY_OPENID = 'select pg_try_advisory_xact_lock(hashtextextended($1, 0)) as ok'
const WAIT_FOR_USERS = 'select id from users where id = any($1::bigint[]) order by id for update'
const TRY_USERS = `${WAIT_FOR_USERS} skip locked`

/** The locks of one transaction for several units that run in it at the same time: what one is about is no other's. */
export function shareLocks(locks: Locks): (unit: number) => Locks {
  const owners = new Map<string | number, number>()
  return (unit) => {
    const own = (key: string | number) => {
      if ((owners.get(key) ?? unit) !== unit) throw new LockOrderError('another unit of the transaction is about it')
      owners.set(key, unit)
    }
    return {
      openid(name) {
        own(name)
        return locks.openid(name)
      },
      users(ids) {
        for (const id of ids) if (id !== 0) own(id)
        return locks.users(ids)
      },
    }
  }
}
