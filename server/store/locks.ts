/** What a unit locks until its commit, so that what it has read stays true. */
import { type Kysely, sql } from 'kysely'
import type { Tables } from './schema.ts'

/**
 * Decisions are about two things: a user with its binding and tickets, and an openid with the users it is bound to and the
 * tickets it holds. Whoever changes either has locked it.
 */
export type Locks = {
  /** True when one of them was not locked before: what was read of it may be out of date. */
  users(ids: number[]): Promise<boolean>
  openid(openid: string): Promise<void>
}

/** For an engine with one writer. */
export const noLocks: Locks = {
  users: async () => false,
  openid: async () => {},
}

/** All that a unit has asked for, over all its runs. */
export type Wanted = { openids: Set<string>; users: Set<number> }

/** The unit has to run again, with all it wants locked from the start. */
export class OutOfOrder extends Error {}

/**
 * Locks on an engine with many writers. Who takes locks in the one order (openids, then users, each ascending) may wait for
 * them; who finds out later that it needs an earlier one takes it only while it is free, and else throws `OutOfOrder`. So
 * nobody ever waits in a circle.
 */
export async function createLocks(db: Kysely<Tables>, wanted: Wanted): Promise<Locks> {
  const held: Wanted = { openids: new Set(), users: new Set() }

  const isLast = <T>(value: T, values: Set<T>) => [...values].every((each) => each < value)

  async function openid(name: string): Promise<void> {
    if (held.openids.has(name)) return
    wanted.openids.add(name)
    const key = sql`hashtextextended(${`wechat-bind openid ${name}`}, 0)`
    if (held.users.size === 0 && isLast(name, held.openids)) {
      await sql`select pg_advisory_xact_lock(${key})`.execute(db)
    } else {
      const { rows } = await sql<{ ok: boolean }>`select pg_try_advisory_xact_lock(${key}) as ok`.execute(db)
      if (!rows[0]?.ok) throw new OutOfOrder('an openid is locked')
    }
    held.openids.add(name)
  }

  async function users(ids: number[]): Promise<boolean> {
    const missing = ids.filter((id) => id !== 0 && !held.users.has(id))
    if (missing.length === 0) return false
    for (const id of missing) wanted.users.add(id)
    const rows = db.selectFrom('users').select('id').where('id', 'in', missing).orderBy('id').forUpdate()
    if (missing.every((id) => isLast(id, held.users))) await rows.execute()
    else if ((await rows.skipLocked().execute()).length < missing.length) throw new OutOfOrder('a user is locked')
    for (const id of missing) held.users.add(id)
    return true
  }

  for (const name of [...wanted.openids].sort()) await openid(name)
  await users([...wanted.users])
  return { users, openid }
}
