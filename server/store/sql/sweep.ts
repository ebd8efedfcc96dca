/** Deletes what has expired, a batch at a time. */
import { type RawBuilder, sql } from 'kysely'
import type { NoticeState } from '../outbox.ts'
import type { Db } from './changes.ts'
import { among, skipLocked } from './dialects.ts'
import type { Engine } from './engine.ts'
import type { Guard } from './engine-errors.ts'

// A callback waits some 5 ms behind a batch at most, also where each row lies on a page of its own.
const BATCH = 200

// In the statement's text, since a planner that does not know how few they are reads the whole table.
const atMostBatch = sql`limit ${sql.lit(BATCH)}`

// A ticket that is over still tells a late scanner so; a day later nobody scans it.
const TICKET_KEPT_MS = 24 * 60 * 60_000

const HOUR_MS = 60 * 60_000

// A quarter to look into what happened, and to replay what no webhook has taken.
const EVENT_KEPT_MS = 90 * 24 * HOUR_MS

// A sender gives up after a day. What nobody has tried for half a year is a tenant's whose key was removed for good.
const UNTOLD_KEPT_MS = 2 * EVENT_KEPT_MS

export function createSweep(
  db: Db,
  guard: Guard,
  engine: Engine,
  /** Called with the number of rows of each batch; the sweep goes on when it resolves. */
  wrote: (rows: number) => Promise<void> = async () => {},
): (now: number) => Promise<void> {
  /** Deletes, of the rows of `chosen`, as many as one batch may hold. */
  const batch = (table: string, key: string, chosen: RawBuilder<unknown>) =>
    sql`delete from ${sql.table(table)} where ${sql.ref(key)} ${among(engine, sql`select ${sql.ref(key)} from ${chosen} ${atMostBatch} ${skipLocked(engine)}`)}`

  const ranOut = (table: 'deliveries' | 'jtis' | 'unfollow_tombstones', key: string) => (now: number) =>
    batch(table, key, sql`${sql.table(table)} where until <= ${now}`)

  /** Of a table whose ids follow its times: looks no further than the oldest rows, and needs no index on the time. */
  const aged = (table: 'events' | 'wrong_codes', keptMs: number, isFree = sql`true`) => {
    const oldest = among(engine, sql`select id from ${sql.table(table)} order by id ${atMostBatch}`)
    return (now: number) =>
      batch(table, 'id', sql`${sql.table(table)} where id ${oldest} and at <= ${now - keptMs} and ${isFree}`)
  }

  const outlived = (state: NoticeState, keptMs: number) => (now: number) =>
    batch(
      'outbox',
      'event',
      sql`outbox where state = ${sql.lit(state)} and next_at <= ${now - keptMs} order by next_at`,
    )

  const batches: ((now: number) => RawBuilder<unknown>)[] = [
    ranOut('deliveries', 'key'),
    ranOut('jtis', 'id'),
    ranOut('unfollow_tombstones', 'openid_hash'),
    aged('wrong_codes', HOUR_MS),
    (now) => batch('tickets', 'id', sql`tickets where expires_at <= ${now - TICKET_KEPT_MS}`),
    outlived('failed', EVENT_KEPT_MS),
    outlived('waiting', UNTOLD_KEPT_MS),
    aged('events', EVENT_KEPT_MS, sql`not exists (select event from outbox where event = events.id)`),
  ]

  return async (now) => {
    for (const next of batches) {
      let gone = BATCH
      while (gone >= BATCH) {
        gone = Number((await guard(next(now).execute(db))).numAffectedRows ?? 0)
        // Callbacks that came meanwhile go first: SQLite's promises alone would never let the event loop turn.
        await new Promise(setImmediate)
        await wrote(gone)
      }
    }
  }
}
