/** Makes many notices due, in several transactions, because a receiver that was off for days may have a million of them. */
import { sql } from 'kysely'
import { createBatchSize } from '../batch-size.ts'
import type { NoticeFilter, NoticeState } from '../outbox.ts'
import type { Plan } from '../plan.ts'
import type { WriteOptions } from '../store.ts'
import { compilable, query } from './compiled-query.ts'
import { jsonIds } from './dialects.ts'
import type { Engine } from './engine.ts'
import type { AsStoreError } from './engine-errors.ts'
import type { Db } from './tx-settings.ts'

/** Returns the number of notices that are due now. */
export type MakeDue = (now: number, state: NoticeState, filter: NoticeFilter) => Promise<number>

/** Runs a plan in a transaction. */
export type WritePlan = <T>(work: () => Plan<T>, options?: WriteOptions) => Promise<T>

export function createMakeDue(db: Db, engine: Engine, write: WritePlan, asStoreError: AsStoreError): MakeDue {
  const makeDue = {
    // `retry` only makes the next attempt earlier, so a waiting notice keeps its number of attempts.
    waiting: query((p: { ids: string; now: number }) =>
      compilable(
        db,
        sql`update notices set next_at = ${p.now} where id ${jsonIds(engine, p.ids)} and state = 'waiting'`,
      ),
    ),
    failed: query((p: { ids: string; now: number }) =>
      compilable(
        db,
        sql`update notices set state = 'waiting', next_at = ${p.now}, attempts = 0 where id ${jsonIds(engine, p.ids)} and state = 'failed'`,
      ),
    ),
  }

  /** Reads outside the transaction, because the notices of other receivers and states may have to be skipped. */
  async function idsAfter(after: number, limit: number, state: NoticeState, filter: NoticeFilter): Promise<number[]> {
    const { id, receiver } = filter
    let ids = db.selectFrom('notices').select('id').where('state', '=', sql.lit(state)).where('id', '>', after)
    if (id !== undefined) ids = ids.where('id', '=', id)
    if (receiver !== undefined) ids = ids.where('receiver', '=', receiver)
    return (await ids.orderBy('id').limit(limit).execute()).map((row) => row.id)
  }

  async function makeAllDue(now: number, state: NoticeState, filter: NoticeFilter): Promise<number> {
    const batch = createBatchSize()
    let count = 0
    let after = 0
    for (;;) {
      const limit = batch.present()
      const found = await idsAfter(after, limit, state, filter)
      const ids = JSON.stringify(found)
      if (found.length > 0) count += (await write(() => makeDue[state]({ ids, now }), { onTook: batch.note })).changes
      if (found.length < limit) return count
      after = found.at(-1)!
    }
  }

  return (...given) => asStoreError(makeAllDue(...given))
}
