/** The queries of the log of actions and of the saved reports, in SQL for both engines. */
import type { ConsoleAction, ConsoleStore } from '../console-store.ts'
import { query } from './compiled-query.ts'
import type { Runners } from './runners.ts'
import type { Db } from './tx-settings.ts'

type NewAction = {
  at: number
  operator: string
  action: ConsoleAction
  user: number | null
  version: number | null
  subject: string | null
}

/** The change `recordAction` also uses this query, in the transaction of the operator's change. */
export function createActionQueries(db: Db) {
  return {
    addAction: query((p: NewAction) =>
      db.insertInto('console_actions').values({
        at: p.at,
        operator: p.operator,
        action: p.action,
        user: p.user,
        version: p.version,
        subject: p.subject,
      }),
    ),
    deleteActions: query((p: { user: number }) => db.deleteFrom('console_actions').where('user', '=', p.user)),
  }
}

export function createConsoleActions(
  db: Db,
  { read, write }: Runners,
): Pick<ConsoleStore, 'record' | 'saveReport' | 'report'> {
  const { addAction } = createActionQueries(db)
  const saveReport = query((p: { name: string; at: number; operator: string; text: string }) =>
    db
      .insertInto('console_reports')
      .values({ name: p.name, at: p.at, operator: p.operator, text: p.text })
      .onConflict((conflict) => conflict.column('name').doUpdateSet({ at: p.at, operator: p.operator, text: p.text })),
  )
  const findReport = query((p: { name: string }) =>
    db.selectFrom('console_reports').select(['at', 'operator', 'text']).where('name', '=', p.name),
  )

  return {
    async record(action) {
      await write(() => addAction({ ...action, user: null, version: null }))
    },
    async saveReport(name, report) {
      await write(() => saveReport({ name, ...report }))
    },
    report: async (name) => (await read(() => findReport({ name }))).rows[0],
  }
}
