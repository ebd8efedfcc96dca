/** Reads the events of all tenants as they are committed, in SQL for both engines. */
import { sql } from 'kysely'
import type { LiveEvent, LiveEvents, LivePlace } from '../console-store.ts'
import type { Plan } from '../plan.ts'
import { pageSize, runQuery } from './compiled-query.ts'
import { jsonIds } from './dialects.ts'
import type { Engine } from './engine.ts'
import { toUid } from './event-rows.ts'
import type { Db } from './tx-settings.ts'

// A transaction ends within seconds, so an assigned id that is not committed yet is among the newest ids.
const LATE_IDS = 64

type Row = Pick<LiveEvent, 'type' | 'reason' | 'version' | 'at'> & { id: number; uid: string | null } & {
  tenant: string
  account: string
  user_id: string
}

const columns = sql`events.id, events.uid, events.type, events.reason, events.version, events.at, users.tenant, users.account, users.user_id
  from events join users on users.id = events."user"`

export function* readLiveEvents(db: Db, engine: Engine, after: LivePlace | undefined, limit: number): Plan<LiveEvents> {
  const [{ newest }] = (yield* runQuery<{ newest: number }>(
    db,
    sql`select coalesce(max(id), 0) as newest from events`,
  )) as [{ newest: number }]
  // After a restore from a backup, the ids may be smaller than the reader's place.
  const place = after && after.newest <= newest ? after : undefined
  const rows = place ? yield* rowsAfter(db, engine, place, limit) : yield* newestRows(db, limit)
  const end = place ? Math.max(place.newest, ...rows.map(({ id }) => id)) : newest
  return { events: rows.filter(({ tenant }) => tenant !== '').map(toEvent), next: yield* placeAt(db, end, place) }
}

function* newestRows(db: Db, limit: number): Plan<Row[]> {
  const rows = yield* runQuery<Row>(
    db,
    sql`select ${columns} order by events.id desc limit ${sql.lit(pageSize(limit))}`,
  )
  return rows.slice(0, limit).reverse()
}

function* rowsAfter(db: Db, engine: Engine, { newest, gaps }: LivePlace, limit: number): Plan<Row[]> {
  const late =
    gaps.length === 0
      ? []
      : yield* runQuery<Row>(
          db,
          sql`select ${columns} where events.id ${jsonIds(engine, JSON.stringify(gaps))} order by events.id`,
        )
  const rows = yield* runQuery<Row>(
    db,
    sql`select ${columns} where events.id > ${newest} order by events.id limit ${sql.lit(pageSize(limit))}`,
  )
  return [...late, ...rows.slice(0, limit)]
}

/** The place after the event `end`. An id before `end` is a gap if it has no row, unless the reader had seen it before. */
function* placeAt(db: Db, end: number, before: LivePlace | undefined): Plan<LivePlace> {
  const first = Math.max(1, end - LATE_IDS + 1)
  const present = yield* runQuery<{ id: number }>(
    db,
    sql`select id from events where id >= ${first} and id <= ${end} order by id limit ${sql.lit(LATE_IDS)}`,
  )
  const ids = new Set(present.map(({ id }) => id))
  const isGap = (id: number) => !ids.has(id) && (!before || id > before.newest || before.gaps.includes(id))
  const gaps = Array.from({ length: Math.max(0, end - first + 1) }, (_, i) => first + i).filter(isGap)
  return { newest: end, gaps }
}

const toEvent = ({ id, uid, tenant, account, user_id: userId, ...event }: Row): LiveEvent => ({
  uid: toUid({ id, uid }),
  identity: { tenant, account, userId },
  ...event,
})
