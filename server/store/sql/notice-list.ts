/** Lists and counts the notices in the queues of the receivers, for operators, metrics and `doctor`. */
import { sql } from 'kysely'
import type { Notice, NoticeState, Outbox, QueueLength } from '../outbox.ts'
import { jsonTexts } from './dialects.ts'
import type { Engine } from './engine.ts'
import type { AsStoreError } from './engine-errors.ts'
import { selectNotices, selectUndispatched, toNotice } from './notice-rows.ts'
import type { Db } from './tx-settings.ts'

type NoticeList = Pick<Outbox, 'list' | 'lengths' | 'oldestAt'>

export function createNoticeList(db: Db, engine: Engine, asStoreError: AsStoreError): NoticeList {
  async function list(state: NoticeState, limit: number): Promise<Notice[]> {
    const queued = selectNotices(db).where('notices.state', '=', state).orderBy('notices.id').limit(limit)
    const undispatched = selectUndispatched(db).where('outbox.state', '=', state).orderBy('outbox.event').limit(limit)
    const rows = [...(await queued.execute()), ...(await undispatched.execute())]
    return rows.slice(0, limit).map(toNotice)
  }

  async function lengths(): Promise<QueueLength[]> {
    const count = (state: NoticeState) => sql<number>`sum(case when state = ${sql.lit(state)} then 1 else 0 end)`
    const counts = [count('waiting').as('waiting'), count('failed').as('failed')] as const
    const rows = await db.selectFrom('notices').select('receiver').select(counts).groupBy('receiver').execute()
    return rows.map((row) => ({ ...row, waiting: Number(row.waiting), failed: Number(row.failed) }))
  }

  async function oldestAt(receivers: string[]): Promise<number | undefined> {
    const ats = await Promise.all([
      db
        .selectFrom('outbox')
        .innerJoin('events', 'events.id', 'outbox.event')
        .select('events.at')
        .where('outbox.state', '=', 'waiting')
        .orderBy('outbox.event')
        .limit(1)
        .executeTakeFirst(),
      db
        .selectFrom('notices')
        .innerJoin('events', 'events.id', 'notices.event')
        .leftJoin('webhook_receivers as r', 'r.name', 'notices.receiver')
        .select('events.at')
        .where('notices.state', '=', 'waiting')
        .where(sql<boolean>`notices.receiver in (${jsonTexts(engine, JSON.stringify(receivers))})`)
        .where(({ or, eb }) => or([eb('r.status', 'is', null), eb('r.status', '=', 'on')]))
        .orderBy('notices.id')
        .limit(1)
        .executeTakeFirst(),
    ])
    const found = ats.flatMap((row) => (row ? [row.at] : []))
    return found.length === 0 ? undefined : Math.min(...found)
  }

  return {
    list: (state, limit) => asStoreError(list(state, limit)),
    lengths: () => asStoreError(lengths()),
    oldestAt: (receivers) => asStoreError(oldestAt(receivers)),
  }
}
