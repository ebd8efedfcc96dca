/** Deletes expired rows of each table, at most `size` rows at a time. The README of the store describes how long rows are kept. */
import { type RawBuilder, sql } from 'kysely'
import type { NoticeState } from '../outbox.ts'
import { inSubquery, jsonIds, skipLocked } from './dialects.ts'
import type { Engine } from './engine.ts'
import type { Db } from './tx-settings.ts'

const HOUR_MS = 60 * 60_000

// A closed ticket is kept so that a late scan gets the right reply; after a day a scan is unlikely.
const TICKET_RETENTION_MS = 24 * HOUR_MS

// Wrong codes are counted within the last hour.
const WRONG_CODE_RETENTION_MS = HOUR_MS

// 90 days leave time to investigate incidents, to replay failed webhooks, and to enable a receiver that is off.
const EVENT_RETENTION_MS = 90 * 24 * HOUR_MS

// The sender moves events to the queues within seconds. An event that has waited for half a year belongs to a tenant whose webhooks
// were removed.
const WAITING_RETENTION_MS = 2 * EVENT_RETENTION_MS

// Actions are kept longer than events, because people ask late who did what.
const ACTION_RETENTION_MS = 365 * 24 * HOUR_MS

// The console compares 30 days with the 30 days before. Another month is a reserve for questions about the past.
const FIGURE_RETENTION_MS = 90 * 24 * HOUR_MS

// The row of a stopped instance is kept for a while, because it contains the time of the last callback.
const INSTANCE_RETENTION_MS = 30 * 24 * HOUR_MS

type Expired = { id: number; tenant: string; position: number | null }

/** Each function deletes at most `size` expired rows of one table, and resolves with their number. */
export function createExpiredRows(db: Db, engine: Engine, size: number): ((now: number) => Promise<number>)[] {
  // The limit is a literal: with a parameter the planner expects many rows and reads the whole table.
  const limitBatch = sql`limit ${sql.lit(size)}`

  /** Deletes at most one batch of the rows of `selection`. */
  const deleteBatch = (table: string, key: string, selection: RawBuilder<unknown>) =>
    sql`delete from ${sql.table(table)} where ${sql.ref(key)} ${inSubquery(engine, sql`select ${sql.ref(key)} from ${selection} ${limitBatch} ${skipLocked(engine)}`)}`

  type Expiring = 'deliveries' | 'jtis' | 'unfollow_tombstones' | 'rate_windows' | 'console_sessions' | 'authorizations'

  const deleteExpired = (table: Expiring, key: string) => (now: number) =>
    deleteBatch(table, key, sql`${sql.table(table)} where until <= ${now}`)

  /** The ids of these tables are in the order of `at`. Only the rows with the lowest ids are read, without an index on `at`. */
  const oldest = (table: 'events' | 'wrong_codes' | 'console_actions') =>
    inSubquery(engine, sql`select id from ${sql.table(table)} order by id ${limitBatch}`)

  const deleteWrongCodes = (now: number) =>
    deleteBatch(
      'wrong_codes',
      'id',
      sql`wrong_codes where id ${oldest('wrong_codes')} and at <= ${now - WRONG_CODE_RETENTION_MS}`,
    )

  const deleteActions = (now: number) =>
    deleteBatch(
      'console_actions',
      'id',
      sql`console_actions where id ${oldest('console_actions')} and at <= ${now - ACTION_RETENTION_MS}`,
    )

  const deleteFigures = (table: 'figures' | 'wechat_errors') => (now: number) =>
    deleteBatch(table, 'id', sql`${sql.table(table)} where hour <= ${now - FIGURE_RETENTION_MS} order by hour`)

  const deleteFromOutbox = (state: NoticeState, retentionMs: number) => (now: number) =>
    deleteBatch(
      'outbox',
      'event',
      sql`outbox where state = ${sql.lit(state)} and next_at <= ${now - retentionMs} order by next_at`,
    )

  /** Reads only the rows with the lowest ids, because ids are nearly in the order of time. */
  const deleteNotices = (now: number) => {
    const oldest = inSubquery(engine, sql`select id from notices order by id ${limitBatch}`)
    const old = sql`exists (select id from events where events.id = notices.event and events.at <= ${now - EVENT_RETENTION_MS})`
    return deleteBatch('notices', 'id', sql`notices where id ${oldest} and ${old}`)
  }

  const steps: ((now: number) => RawBuilder<unknown>)[] = [
    deleteExpired('deliveries', 'key'),
    deleteExpired('jtis', 'id'),
    deleteExpired('unfollow_tombstones', 'openid_hash'),
    deleteExpired('rate_windows', 'scope'),
    deleteExpired('authorizations', 'id'),
    deleteWrongCodes,
    (now) => deleteBatch('tickets', 'id', sql`tickets where expires_at <= ${now - TICKET_RETENTION_MS}`),
    deleteFromOutbox('failed', EVENT_RETENTION_MS),
    deleteFromOutbox('waiting', WAITING_RETENTION_MS),
    deleteNotices,
    deleteExpired('console_sessions', 'hash'),
    deleteActions,
    deleteFigures('figures'),
    deleteFigures('wechat_errors'),
    (now) => deleteBatch('instances', 'name', sql`instances where at <= ${now - INSTANCE_RETENTION_MS}`),
  ]

  /** Records the positions before it deletes the events, so that a reader that has missed them gets an error. */
  async function deleteEvents(now: number): Promise<number> {
    const { rows } = await sql<Expired>`select id, tenant, position from events where id ${oldest('events')}
      and at <= ${now - EVENT_RETENTION_MS} and not exists (select event from outbox where event = events.id)
      and not exists (select event from notices where event = events.id)`.execute(db)
    for (const [tenant, events] of Map.groupBy(rows, (row) => row.tenant)) await noteExpired(tenant, events)
    const ids = rows.map(({ id }) => id)
    if (ids.length > 0) await sql`delete from events where id ${jsonIds(engine, JSON.stringify(ids))}`.execute(db)
    return ids.length
  }

  /**
   * An expired event without a position gets the position after the newest position. All readers are before this position and get
   * an error.
   */
  async function noteExpired(tenant: string, events: Expired[]): Promise<void> {
    const isUnread = events.some(({ position }) => position === null)
    const newest = Math.max(...events.map(({ position }) => position ?? 0))
    // A reader may have a cursor of a feed that is still empty and has no head.
    await (isUnread
      ? sql`insert into feed_heads (tenant, position, lost) values (${tenant}, 1, 1) on conflict (tenant)
          do update set position = feed_heads.position + 1, lost = feed_heads.position + 1`.execute(db)
      : db
          .updateTable('feed_heads')
          .set({ lost: newest })
          .where('tenant', '=', tenant)
          .where('lost', '<', newest)
          .execute())
  }

  const deleteRows = async (step: RawBuilder<unknown>) => Number((await step.execute(db)).numAffectedRows ?? 0)

  return [...steps.map((step) => (now: number) => deleteRows(step(now))), deleteEvents]
}
