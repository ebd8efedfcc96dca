/** The state of each webhook receiver that has failed, in SQL for both engines. */
import { type Selectable, sql } from 'kysely'
import { FAILURE_GAP_MS, OFF_AFTER_MS, type Outbox, type ReceiverFailure, type ReceiverState } from '../outbox.ts'
import type { AsStoreError, RunWrite } from './engine-errors.ts'
import type { MakeDue } from './notice-due.ts'
import type { Tables } from './tables.ts'
import type { Db } from './tx-settings.ts'

type ReceiverStates = Pick<Outbox, 'receivers' | 'receiverFailed' | 'receiverAccepted' | 'enable'>

export function createReceiverStates(
  db: Db,
  makeDue: MakeDue,
  asStoreError: AsStoreError,
  runWrite: RunWrite,
): ReceiverStates {
  /**
   * One statement counts the failure, so that the failures of all instances are counted. After a gap without attempts the five
   * days begin again. Otherwise a receiver that gets few events would be switched off by one failure a week.
   */
  async function receiverFailed({ name, now, failure, isGone, pausedUntil }: ReceiverFailure): Promise<ReceiverState> {
    const isFirst = sql<boolean>`webhook_receivers.failing_since is null or webhook_receivers.last_at < ${now - FAILURE_GAP_MS}`
    const isOff = sql<boolean>`webhook_receivers.failing_since <= ${now - OFF_AFTER_MS} and webhook_receivers.last_at >= ${now - FAILURE_GAP_MS}`
    const isPausedLonger = sql<boolean>`webhook_receivers.paused_until > ${now} and webhook_receivers.paused_until > coalesce(excluded.paused_until, 0)`
    const row = await db
      .insertInto('webhook_receivers')
      .values({
        name,
        status: isGone ? 'gone' : 'on',
        failing_since: now,
        failures: 1,
        paused_until: pausedUntil,
        last_status: failure.status,
        last_error: failure.error,
        last_at: now,
      })
      .onConflict((conflict) =>
        conflict.column('name').doUpdateSet({
          status: sql`case when webhook_receivers.status <> 'on' then webhook_receivers.status when excluded.status = 'gone' then 'gone' when ${isOff} then 'off' else 'on' end`,
          failing_since: sql`case when ${isFirst} then excluded.failing_since else webhook_receivers.failing_since end`,
          failures: sql`webhook_receivers.failures + 1`,
          paused_until: sql`case when ${isPausedLonger} then webhook_receivers.paused_until else excluded.paused_until end`,
          last_status: sql`excluded.last_status`,
          last_error: sql`excluded.last_error`,
          last_at: sql`excluded.last_at`,
        }),
      )
      .returningAll()
      .executeTakeFirstOrThrow()
    return toReceiverState(row)
  }

  async function receiverAccepted(name: string, now: number): Promise<void> {
    await db
      .updateTable('webhook_receivers')
      .set({ failing_since: null, failures: 0, paused_until: null })
      .where('name', '=', name)
      .where('status', '=', 'on')
      .where(({ or, eb }) => or([eb('paused_until', 'is', null), eb('paused_until', '<=', now)]))
      .execute()
  }

  /** Returns false for a receiver that is not off. */
  async function switchOn(name: string): Promise<boolean> {
    const enabled = { status: 'on' as const, failing_since: null, failures: 0, paused_until: null }
    const { numUpdatedRows } = await db
      .updateTable('webhook_receivers')
      .set(enabled)
      .where('name', '=', name)
      .where('status', '<>', 'on')
      .executeTakeFirst()
    return numUpdatedRows > 0n
  }

  return {
    async receivers() {
      const rows = await asStoreError(db.selectFrom('webhook_receivers').selectAll().orderBy('name').execute())
      return rows.map(toReceiverState)
    },
    receiverFailed: (failed) => runWrite(() => receiverFailed(failed)),
    receiverAccepted: (name, now) => runWrite(() => receiverAccepted(name, now)),
    async enable(name, now) {
      const isOn = await runWrite(() => switchOn(name))
      if (isOn) await makeDue(now, 'waiting', { receiver: name })
      return isOn
    },
  }
}

const toReceiverState = (row: Selectable<Tables['webhook_receivers']>): ReceiverState => ({
  name: row.name,
  status: row.status,
  failingSince: row.failing_since,
  failures: row.failures,
  pausedUntil: row.paused_until,
  lastFailure: { status: row.last_status, error: row.last_error },
  lastFailureAt: row.last_at,
})
