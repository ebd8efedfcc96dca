/** The outbox's queries, in SQL for both engines. */
import { sql } from 'kysely'
import type { Notice, Outbox } from '../outbox.ts'
import type { AsStoreError } from './engine-errors.ts'
import type { Db } from './tx-settings.ts'

// The lease of the sender: one instance at a time sends the events of all tenants.
const LEASE = 'webhook'

/** Runs a write that belongs to no unit of work. */
export type RunWrite = <T>(write: () => Promise<T>) => Promise<T>

/** `runWrite`: SQLite counts the writes, and starts none while it empties its log. */
export function createOutbox(
  db: Db,
  asStoreError: AsStoreError,
  runWrite: RunWrite = (write) => asStoreError(write()),
): Outbox {
  /** Joins a binding only if this event or an earlier one has made it, so that an event never gets the openid of a later binding. */
  const selectNotices = () =>
    db
      .selectFrom('outbox')
      .innerJoin('events', 'events.id', 'outbox.event')
      .innerJoin('users', 'users.id', 'events.user')
      .leftJoin('bindings', (join) =>
        join.onRef('bindings.user', '=', 'events.user').onRef('bindings.version', '<=', 'events.version'),
      )
      .select([
        'outbox.event',
        'outbox.attempts',
        'events.uid',
        'events.type',
        'events.reason',
        'events.version',
        'events.at',
        'users.tenant',
        'users.account',
        'users.user_id',
        'bindings.app_id',
        'bindings.openid',
        'bindings.unionid',
      ])

  async function due(now: number, tenants: string[], limit: number): Promise<Notice[]> {
    if (tenants.length === 0) return []
    const rows = await selectNotices()
      .where('outbox.state', '=', 'waiting')
      .where('outbox.next_at', '<=', now)
      .where('outbox.tenant', 'in', tenants)
      .where(({ not, exists, selectFrom }) =>
        not(
          exists(
            selectFrom('outbox as earlier')
              .select('earlier.event')
              .whereRef('earlier.user', '=', 'outbox.user')
              .whereRef('earlier.event', '<', 'outbox.event')
              .where('earlier.state', '=', 'waiting'),
          ),
        ),
      )
      // This order lets the database use the index on `next_at` and skip the many events that a failing receiver has postponed.
      .orderBy('outbox.next_at')
      .orderBy('outbox.event')
      .limit(limit)
      .execute()
    return rows.map(toNotice)
  }

  async function nextAt(tenants: string[]): Promise<number | undefined> {
    if (tenants.length === 0) return undefined
    const waiting = db.selectFrom('outbox').select('next_at').where('state', '=', 'waiting')
    const query = waiting.where('tenant', 'in', tenants).orderBy('next_at').limit(1)
    return (await query.executeTakeFirst())?.next_at
  }

  async function retryAt(id: number, at: number): Promise<void> {
    const next = { next_at: at, attempts: sql<number>`attempts + 1` }
    await db.updateTable('outbox').set(next).where('event', '=', id).execute()
  }

  async function giveUp(id: number): Promise<void> {
    const failed = { state: 'failed' as const, attempts: sql<number>`attempts + 1` }
    await db.updateTable('outbox').set(failed).where('event', '=', id).execute()
  }

  async function replay(now: number, id?: number): Promise<number> {
    const reset = { state: 'waiting' as const, next_at: now, attempts: 0 }
    const update = db.updateTable('outbox').set(reset).where('state', '=', 'failed')
    const { numUpdatedRows } = await (id === undefined ? update : update.where('event', '=', id)).executeTakeFirst()
    return Number(numUpdatedRows)
  }

  /** A conditional upsert, which writes only for the present holder or after the lease has expired. */
  async function lease(holder: string, now: number, until: number): Promise<boolean> {
    const row = await db
      .insertInto('leases')
      .values({ name: LEASE, holder, until })
      .onConflict((conflict) =>
        conflict
          .column('name')
          .doUpdateSet({ holder, until })
          .where(({ or, eb }) => or([eb('leases.holder', '=', holder), eb('leases.until', '<=', now)])),
      )
      .returning('name')
      .executeTakeFirst()
    return row !== undefined
  }

  return {
    due: (now, tenants, limit) => asStoreError(due(now, tenants, limit)),
    nextAt: (tenants) => asStoreError(nextAt(tenants)),
    retryAt: (id, at) => runWrite(() => retryAt(id, at)),
    giveUp: (id) => runWrite(() => giveUp(id)),
    replay: (now, id) => runWrite(() => replay(now, id)),
    lease: (holder, now, until) => runWrite(() => lease(holder, now, until)),
    async delivered(id) {
      await runWrite(() => db.deleteFrom('outbox').where('event', '=', id).execute())
    },
    async list(state, limit) {
      return (
        await asStoreError(
          selectNotices().where('outbox.state', '=', state).orderBy('outbox.event').limit(limit).execute(),
        )
      ).map(toNotice)
    },
    async release(holder) {
      await asStoreError(db.deleteFrom('leases').where('name', '=', LEASE).where('holder', '=', holder).execute())
    },
  }
}

type Row = {
  event: number
  attempts: number
  uid: string | null
  type: Notice['type']
  reason: Notice['reason']
  version: number
  at: number
  tenant: string
  account: string
  user_id: string
  app_id: string | null
  openid: string | null
  unionid: string | null
}

const toNotice = (row: Row): Notice => ({
  id: row.event,
  uid: row.uid ?? `evt_${row.event}`,
  identity: { tenant: row.tenant, account: row.account, userId: row.user_id },
  type: row.type,
  reason: row.reason,
  version: row.version,
  at: row.at,
  appId: row.app_id,
  openid: row.openid,
  unionid: row.unionid,
  attempts: row.attempts,
})
