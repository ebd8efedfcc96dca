/**
 * Acquires the locks of a PostgreSQL transaction in one order, which prevents deadlocks.
 *
 * A unit of work locks users (row locks) and openids (advisory locks, because an openid has no row of its own). In the order of
 * the locks, openids come before users, and both are in ascending order.
 *
 * Steps:
 * 1. The transaction waits for a lock that comes after every lock acquired so far.
 * 2. It only tries a lock that comes earlier in the order (`pg_try_advisory_xact_lock`, `skip locked`). If another transaction
 *    has that lock, `LockOrderError` rolls the unit back.
 * 3. The next run begins by acquiring all locks that the unit has requested so far (`LockRequest`), in order.
 *
 * A transaction waits only for locks that come after its own, so a cycle of waiting transactions cannot form. The cost is that a
 * unit may need several runs (at most `MAX_RUNS` in `postgres-store.ts`). The isolation level SERIALIZABLE would need repeated
 * runs too, and could fail at any statement or at the commit.
 */
import type { Plan } from '../plan.ts'
import type { Locks } from '../sql/locks.ts'

/** All locks that a unit has requested in all its runs. */
export type LockRequest = { openids: Set<string>; users: Set<number> }

/** The unit has to run again, and to acquire every lock of its `LockRequest` first. */
export class LockOrderError extends Error {}

/** Acquires `requested` and returns the locks of this run; locks requested later are added to `requested`. */
export function* createLocks(requested: LockRequest): Plan<Locks> {
  const acquired: LockRequest = { openids: new Set(), users: new Set() }

  const isLast = <T>(value: T, values: Set<T>) => [...values].every((each) => each < value)

  // A lock is added to `acquired` before its statement is sent, because a connection executes statements in the order sent.
  function* openid(name: string): Plan<void> {
    if (acquired.openids.has(name)) return
    const mayWait = acquired.users.size === 0 && isLast(name, acquired.openids)
    requested.openids.add(name)
    acquired.openids.add(name)
    const { rows } = yield { text: mayWait ? WAIT_FOR_OPENID : TRY_OPENID, values: [`wechat-bind openid ${name}`] }
    if (!mayWait && !(rows as { ok: boolean }[])[0]?.ok) throw new LockOrderError('an openid is locked')
  }

  /**
   * The first request of a run locks all names with one statement: `unnest` returns the names in their order, and the statement
   * waits for each lock. Later requests lock one name at a time.
   */
  function* openids(names: string[]): Plan<void> {
    const missing = [...new Set(names)].filter((name) => !acquired.openids.has(name)).sort()
    if (missing.length === 0) return
    if (acquired.openids.size + acquired.users.size > 0) {
      for (const name of missing) yield* openid(name)
      return
    }
    for (const name of missing) {
      requested.openids.add(name)
      acquired.openids.add(name)
    }
    yield { text: WAIT_FOR_OPENIDS, values: [missing.map((name) => `wechat-bind openid ${name}`)] }
  }

  function* users(ids: number[]): Plan<boolean> {
    const missing = ids.filter((id) => id !== 0 && !acquired.users.has(id))
    if (missing.length === 0) return false
    const mayWait = missing.every((id) => isLast(id, acquired.users))
    for (const id of missing) {
      requested.users.add(id)
      acquired.users.add(id)
    }
    const { rows } = yield { text: mayWait ? WAIT_FOR_USERS : TRY_USERS, values: [missing] }
    if (!mayWait && rows.length < new Set(missing).size) throw new LockOrderError('a user is locked')
    return true
  }

  yield* openids([...requested.openids])
  yield* users([...requested.users])
  return { users, openid, openids }
}

const WAIT_FOR_OPENID = 'select pg_advisory_xact_lock(hashtextextended($1, 0))'
const WAIT_FOR_OPENIDS = 'select pg_advisory_xact_lock(hashtextextended(name, 0)) from unnest($1::text[]) as name'
const TRY_OPENID = 'select pg_try_advisory_xact_lock(hashtextextended($1, 0)) as ok'
const WAIT_FOR_USERS = 'select id from users where id = any($1::bigint[]) order by id for update'
const TRY_USERS = `${WAIT_FOR_USERS} skip locked`

/**
 * Splits one transaction's locks among the units that run in it concurrently. The database cannot separate two units of one
 * transaction, so a lock that one unit has requested makes the request of another unit throw `LockOrderError`.
 */
export function shareLocks(locks: Locks): (unit: number) => Locks {
  const owners = new Map<string | number, number>()
  return (unit) => {
    const claim = (key: string | number) => {
      if ((owners.get(key) ?? unit) !== unit) throw new LockOrderError('another unit of the transaction has the lock')
      owners.set(key, unit)
    }
    return {
      openid(name) {
        claim(name)
        return locks.openid(name)
      },
      openids(names) {
        for (const name of names) claim(name)
        return locks.openids(names)
      },
      users(ids) {
        for (const id of ids) if (id !== 0) claim(id)
        return locks.users(ids)
      },
    }
  }
}
