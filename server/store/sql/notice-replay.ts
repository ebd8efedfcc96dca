/** The queries of `replay` and `retry`, by which an operator makes failed or waiting notices due at once. */
import { sql } from 'kysely'
import type { NoticeFilter, NoticeState, Outbox } from '../outbox.ts'
import type { RunWrite } from './engine-errors.ts'
import type { Db } from './tx-settings.ts'

export function createReplay(db: Db, runWrite: RunWrite): Pick<Outbox, 'replay' | 'retry'> {
  async function makeDue(now: number, state: NoticeState, { id, receiver }: NoticeFilter): Promise<number> {
    // `retry` only makes the next attempt earlier, so a waiting notice keeps its number of attempts.
    const due = state === 'failed' ? { state: 'waiting' as const, next_at: now, attempts: 0 } : { next_at: now }
    let update = db.updateTable('notices').set(due).where('state', '=', sql.lit(state))
    if (id !== undefined) update = update.where('id', '=', id)
    if (receiver !== undefined) update = update.where('receiver', '=', receiver)
    return Number((await update.executeTakeFirst()).numUpdatedRows)
  }

  async function retry(now: number, filter: NoticeFilter): Promise<number> {
    const count = await makeDue(now, 'waiting', filter)
    let resume = db.updateTable('webhook_receivers').set({ paused_until: null }).where('paused_until', 'is not', null)
    if (filter.receiver !== undefined) resume = resume.where('name', '=', filter.receiver)
    const { id } = filter
    if (id !== undefined) {
      resume = resume.where('name', 'in', (eb) => eb.selectFrom('notices').select('receiver').where('id', '=', id))
    }
    await resume.execute()
    return count
  }

  return {
    replay: (now, filter = {}) => runWrite(() => makeDue(now, 'failed', filter)),
    retry: (now, filter = {}) => runWrite(() => retry(now, filter)),
  }
}
