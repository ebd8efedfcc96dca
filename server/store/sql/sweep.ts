/** Deletes expired rows in small batches. */
import { type RawBuilder, sql } from 'kysely'
import type { NoticeState } from '../outbox.ts'
import type { Db } from './changes.ts'
import { inSubquery, skipLocked } from './dialects.ts'
import type { Engine } from './engine.ts'
import type { AsStoreError } from './engine-errors.ts'

// With this size a batch delays a callback by at most 5 ms, even if each row is on a page of its own.
const BATCH_SIZE = 200

// The limit is a literal: with a parameter the planner expects many rows and reads the whole table.
const limitBatch = sql`limit ${sql.lit(BATCH_SIZE)}`

const HOUR_MS = 60 * 60_000

// A closed ticket is kept so that a late scan gets the right reply; after a day nobody scans it.
const TICKET_RETENTION_MS = 24 * HOUR_MS

// Wrong codes are counted within the last hour.
const WRONG_CODE_RETENTION_MS = HOUR_MS

// A quarter of a year leaves time to investigate incidents, to replay failed webhooks, and to enable a receiver that is off.
const EVENT_RETENTION_MS = 90 * 24 * HOUR_MS

// The sender moves events to the queues within seconds. An event that has waited for half a year belongs to a tenant whose webhooks
// were removed.
const WAITING_RETENTION_MS = 2 * EVENT_RETENTION_MS

export function createSweep(
  db: Db,
  asStoreError: AsStoreError,
  engine: Engine,
  /** Called with the number of deleted rows after each batch; the sweep continues when it resolves. */
  onBatch: (rows: number) => Promise<void> = async () => {},
): (now: number) => Promise<void> {
  /** Deletes at most one batch of the rows of `selection`. */
  const deleteBatch = (table: string, key: string, selection: RawBuilder<unknown>) =>
    sql`delete from ${sql.table(table)} where ${sql.ref(key)} ${inSubquery(engine, sql`select ${sql.ref(key)} from ${selection} ${limitBatch} ${skipLocked(engine)}`)}`

  const deleteExpired =
    (table: 'deliveries' | 'jtis' | 'unfollow_tombstones' | 'rate_windows', key: string) => (now: number) =>
      deleteBatch(table, key, sql`${sql.table(table)} where until <= ${now}`)

  /** Serves tables whose ids are in the order of `at`. It reads only the rows with the lowest ids, and needs no index on `at`. */
  const deleteOld = (table: 'events' | 'wrong_codes', retentionMs: number, condition = sql`true`) => {
    const oldest = inSubquery(engine, sql`select id from ${sql.table(table)} order by id ${limitBatch}`)
    return (now: number) =>
      deleteBatch(
        table,
        'id',
        sql`${sql.table(table)} where id ${oldest} and at <= ${now - retentionMs} and ${condition}`,
      )
  }

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
    deleteOld('wrong_codes', WRONG_CODE_RETENTION_MS),
    (now) => deleteBatch('tickets', 'id', sql`tickets where expires_at <= ${now - TICKET_RETENTION_MS}`),
    deleteFromOutbox('failed', EVENT_RETENTION_MS),
    deleteFromOutbox('waiting', WAITING_RETENTION_MS),
    deleteNotices,
    deleteOld(
      'events',
      EVENT_RETENTION_MS,
      sql`not exists (select event from outbox where event = events.id) and not exists (select event from notices where event = events.id)`,
    ),
  ]

  return async (now) => {
    for (const step of steps) {
      let deleted = BATCH_SIZE
      while (deleted >= BATCH_SIZE) {
        deleted = Number((await asStoreError(step(now).execute(db))).numAffectedRows ?? 0)
        // SQLite's promises resolve as microtasks. Without this pause no callback could run between two batches.
        await new Promise(setImmediate)
        await onBatch(deleted)
      }
    }
  }
}
