/** The queries of erasures, in SQL for both engines. */
import { type Kysely, sql } from 'kysely'
import { query } from './compiled-query.ts'
import type { Tables } from './tables.ts'

// The schedule of a notice ends within four days. An older notice waits because of `Retry-After`, for an earlier event of the user,
// or for a receiver that is no longer configured. It is deleted unsent, so that an erasure takes 7 days at most.
const ABANDONED_AFTER_MS = 7 * 24 * 60 * 60_000

/** Whether a notice of the event waits for an enabled receiver. */
const isWaiting = (now: number) => sql<boolean>`(events.at + ${sql.lit(ABANDONED_AFTER_MS)} > ${now} and (
  exists (select 1 from outbox where outbox.event = events.id and outbox.state = 'waiting') or
  exists (select 1 from notices left join webhook_receivers on webhook_receivers.name = notices.receiver
    where notices.event = events.id and notices.state = 'waiting' and coalesce(webhook_receivers.status, 'on') = 'on')))`

export function createErasureQueries(db: Kysely<Tables>) {
  return { ...createErase(db), ...createPurge(db), ...createFloors(db) }
}

function createErase(db: Kysely<Tables>) {
  return {
    deleteTickets: query((p: { user: number }) => db.deleteFrom('tickets').where('user', '=', p.user)),
    /** The row is kept, so that a repeated delivery of WeChat still changes nothing. */
    clearReplies: query((p: { user: number }) =>
      db.updateTable('deliveries').set({ text: null, user: null }).where('user', '=', p.user),
    ),
    /** Keeps the event with `version`, because the erasure itself has written it. */
    deleteHistory: query((p: { user: number; version: number; at: number }) =>
      db
        .deleteFrom('events')
        .where('user', '=', p.user)
        .where('version', '!=', p.version)
        .where(sql<boolean>`not ${isWaiting(p.at)}`),
    ),
    markHistory: query((p: { user: number }) =>
      db
        .updateTable('events')
        .set({ erased: sql.lit(1) })
        .where('user', '=', p.user),
    ),
    markUser: query((p: { user: number }) =>
      db
        .updateTable('users')
        .set({ erased: sql.lit(1) })
        .where('id', '=', p.user),
    ),
  }
}

function createPurge(db: Kysely<Tables>) {
  const marked = db.selectFrom('events').where('erased', '=', sql.lit(1))
  // The `+` prevents PostgreSQL from using the index of the marked events of all users, as in `feed.ts`.
  const isErased = sql<boolean>`+erased = 1`
  const takenOf = (p: { user: number; before: number }) =>
    db
      .selectFrom('events')
      .where('user', '=', p.user)
      .where(isErased)
      .where('at', '<=', p.before)
      .where(sql<boolean>`not ${isWaiting(p.before)}`)
      .select('id')
  return {
    /** Without `distinct`, for which SQLite would read all events in the order of their users. A user may be in several rows. */
    usersToPurge: query((p: { before: number; limit: number }) =>
      marked
        .where('at', '<=', p.before)
        .where(sql<boolean>`not ${isWaiting(p.before)}`)
        .select('user')
        .orderBy('id')
        .limit(p.limit),
    ),
    deleteUnsent: query((p: { user: number; before: number }) =>
      db.deleteFrom('outbox').where('user', '=', p.user).where('event', 'in', takenOf(p)),
    ),
    deleteNotices: query((p: { user: number; before: number }) =>
      db.deleteFrom('notices').where('event', 'in', takenOf(p)),
    ),
    deleteMarked: query((p: { user: number; before: number }) =>
      db
        .deleteFrom('events')
        .where('user', '=', p.user)
        .where(isErased)
        .where('at', '<=', p.before)
        .where(sql<boolean>`not ${isWaiting(p.before)}`),
    ),
    isMarked: query((p: { user: number }) =>
      db.selectFrom('users').select('id').where('id', '=', p.user).where('erased', '=', sql.lit(1)),
    ),
    markedOf: query((p: { user: number }) =>
      db.selectFrom('events').where('user', '=', p.user).where(isErased).select('id').limit(1),
    ),
  }
}

/** The row of an erased user keeps the version under the keyed hash of its identity. No user has an empty account. */
function createFloors(db: Kysely<Tables>) {
  const noName = { tenant: '', account: '' } as const
  return {
    floorOf: query((p: { hash: string }) =>
      db
        .selectFrom('users')
        .select('version')
        .where('tenant', '=', noName.tenant)
        .where('account', '=', noName.account)
        .where('user_id', '=', p.hash),
    ),
    raiseToFloor: query((p: { user: number; hash: string }) =>
      db
        .updateTable('users')
        .from('users as floor')
        .set((eb) => ({ version: eb.ref('floor.version') }))
        .where('users.id', '=', p.user)
        .where('floor.tenant', '=', noName.tenant)
        .where('floor.account', '=', noName.account)
        .where('floor.user_id', '=', p.hash),
    ),
    deleteFloor: query((p: { hash: string }) =>
      db
        .deleteFrom('users')
        .where('tenant', '=', noName.tenant)
        .where('account', '=', noName.account)
        .where('user_id', '=', p.hash),
    ),
    toFloor: query((p: { user: number; hash: string }) =>
      db
        .updateTable('users')
        .set({ ...noName, user_id: p.hash, reason: null, notice: null, erased: sql.lit(0) })
        .where('id', '=', p.user)
        .where('erased', '=', sql.lit(1)),
    ),
  }
}
