/**
 * The queries by which an instance claims due notices in the queues of the receivers, and saves the outcome of each notice. A
 * claim sets `next_at` to the time at which it ends, so the notices of an instance that was killed become due again.
 */
import { sql } from 'kysely'
import type { Failure, Notice, Outbox, Room } from '../outbox.ts'
import { type Plan, runPlanAsync } from '../plan.ts'
import { compilable, query, runOn } from './compiled-query.ts'
import { jsonIds } from './dialects.ts'
import type { Engine } from './engine.ts'
import type { AsStoreError, RunWrite } from './engine-errors.ts'
import { selectNotices, toNotice } from './notice-rows.ts'
import type { Db } from './tx-settings.ts'

type Claims = Pick<Outbox, 'claim' | 'unclaim' | 'delivered' | 'retryAt' | 'giveUp'>

type ClaimDeps = { db: Db; engine: Engine; asStoreError: AsStoreError; runWrite: RunWrite }

export function createClaims({ db, engine, asStoreError, runWrite }: ClaimDeps): Claims {
  const claimDue = engine === 'postgres' ? createClaimOnPostgres(db) : createClaimOnSqlite(db)
  const noticesById = query((p: { ids: string }) =>
    selectNotices(db)
      .where(sql<boolean>`notices.id ${jsonIds(engine, p.ids)}`)
      .orderBy('notices.id'),
  )
  const remove = query((p: { ids: string }) =>
    compilable(db, sql`delete from notices where id ${jsonIds(engine, p.ids)}`),
  )

  async function claim(now: number, until: number, rooms: Room[]): Promise<Notice[]> {
    if (rooms.length === 0) return []
    const claimed = await runWrite(() => runPlanAsync(claimDue({ now, until, rooms }), runOn(db)))
    if (claimed.rows.length === 0) return []
    const ids = claimed.rows.map(({ id }) => id)
    const { rows } = await asStoreError(runPlanAsync(noticesById({ ids: JSON.stringify(ids) }), runOn(db)))
    return rows.map(toNotice)
  }

  const setFailed = (id: number, failure: Failure, more: { next_at: number } | { state: 'failed' }) =>
    runWrite(async () => {
      const failed = { attempts: sql<number>`attempts + 1`, status: failure.status, error: failure.error }
      await db
        .updateTable('notices')
        .set({ ...failed, ...more })
        .where('id', '=', id)
        .execute()
    })

  return {
    claim,
    async unclaim(id, now) {
      await runWrite(() => db.updateTable('notices').set({ next_at: now }).where('id', '=', id).execute())
    },
    async delivered(ids) {
      await runWrite(() => runPlanAsync(remove({ ids: JSON.stringify(ids) }), runOn(db)))
    },
    retryAt: (id, at, failure) => setFailed(id, failure, { next_at: at }),
    giveUp: (id, failure) => setFailed(id, failure, { state: 'failed' }),
  }
}

type Claim = (given: { now: number; until: number; rooms: Room[] }) => Plan<{ rows: { id: number }[] }>

/** The first due notices of a receiver. A notice is not taken while an earlier notice of the same user has no outcome. */
const firstDue = (receiver: unknown, now: unknown, room: unknown, more = sql``) => sql`
  select n.id from notices n
  where n.receiver = ${receiver} and n.state = 'waiting' and n.next_at <= ${now} and not exists (
    select 1 from notices earlier
    where earlier.receiver = n.receiver and earlier."user" = n."user" and earlier.event < n.event and earlier.state = 'waiting'
  )
  order by n.next_at, n.id limit ${room} ${more}`

/**
 * PostgreSQL plans a statement at each run. A lateral join has only one subquery to plan. Planning a subquery for each of 50
 * receivers took ten times as long as the claim itself. Several instances claim at the same time, so rows that another instance
 * has locked are skipped.
 */
function createClaimOnPostgres(db: Db): Claim {
  const claim = query((p: { now: number; until: number; rooms: string }) => {
    const update = sql<{ id: number }>`
      update notices set next_at = ${p.until} where id = any(array(
        select first.id from json_to_recordset(${p.rooms}::json) as given(receiver text, room bigint)
        cross join lateral (${firstDue(sql`given.receiver`, p.now, sql`given.room`, sql`for update skip locked`)}) as first
      )) returning id`
    return compilable(db, update)
  })
  return ({ rooms, ...given }) => claim({ ...given, rooms: JSON.stringify(rooms) })
}

/** SQLite has no lateral join, so each receiver has its own subquery. The text depends only on the number of receivers. */
function createClaimOnSqlite(db: Db): Claim {
  type Given = { now: number; until: number } & Record<string, unknown>
  const compile = (count: number) =>
    query((p: Given) => {
      const firstOf = (_: unknown, i: number) =>
        sql`select * from (${firstDue(p[`receiver${i}`], p.now, p[`room${i}`])})`
      const candidates = sql.join(Array.from({ length: count }, firstOf), sql` union all `)
      const update = sql<{ id: number }>`
        update notices set next_at = ${p.until} where id in (${candidates}) returning id`
      return compilable(db, update)
    })
  const byCount = new Map<number, ReturnType<typeof compile>>()
  return ({ rooms, ...given }) => {
    const claim = byCount.get(rooms.length) ?? compile(rooms.length)
    byCount.set(rooms.length, claim)
    const parameters: Given = given
    for (const [i, { receiver, room }] of rooms.entries()) {
      parameters[`receiver${i}`] = receiver
      parameters[`room${i}`] = room
    }
    return claim(parameters)
  }
}
