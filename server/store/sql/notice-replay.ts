/** `replay` and `retry`, by which an operator makes failed or waiting notices due at once. */
import type { NoticeFilter, Outbox } from '../outbox.ts'
import type { RunWrite } from './engine-errors.ts'
import type { MakeDue } from './notice-due.ts'
import type { Db } from './tx-settings.ts'

export function createReplay(db: Db, makeDue: MakeDue, runWrite: RunWrite): Pick<Outbox, 'replay' | 'retry'> {
  async function resume({ id, receiver }: NoticeFilter): Promise<void> {
    let update = db.updateTable('webhook_receivers').set({ paused_until: null }).where('paused_until', 'is not', null)
    if (receiver !== undefined) update = update.where('name', '=', receiver)
    if (id !== undefined) {
      update = update.where('name', 'in', (eb) => eb.selectFrom('notices').select('receiver').where('id', '=', id))
    }
    await update.execute()
  }

  return {
    replay: (now, filter = {}) => makeDue(now, 'failed', filter),
    async retry(now, filter = {}) {
      const count = await makeDue(now, 'waiting', filter)
      await runWrite(() => resume(filter))
      return count
    },
  }
}
