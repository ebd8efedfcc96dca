/** The queries of the console's sessions and of the attempts to sign in, in SQL for both engines. */
import { sql } from 'kysely'
import type { ConsoleStore } from '../console-store.ts'
import { query } from './compiled-query.ts'
import type { Runners } from './runners.ts'
import type { Db } from './tx-settings.ts'

type Sessions = Pick<ConsoleStore, 'addSession' | 'session' | 'endSession' | 'refundAttempt' | 'attemptsUntil'>

export function createConsoleSessions(db: Db, { read, write }: Runners): Sessions {
  const addSession = query((p: { hash: string; name: string; tokenHash: string; until: number }) =>
    db.insertInto('console_sessions').values({ hash: p.hash, name: p.name, token_hash: p.tokenHash, until: p.until }),
  )
  const findSession = query((p: { hash: string; now: number }) =>
    db.selectFrom('console_sessions').selectAll().where('hash', '=', p.hash).where('until', '>', p.now),
  )
  const endSession = query((p: { hash: string }) => db.deleteFrom('console_sessions').where('hash', '=', p.hash))
  const refund = query((p: { scope: string }) =>
    db
      .updateTable('rate_windows')
      .set({ count: sql<number>`count - 1` })
      .where('scope', '=', p.scope)
      .where('count', '>', sql.lit(0)),
  )
  const findWindow = query((p: { scope: string; now: number }) =>
    db.selectFrom('rate_windows').select('until').where('scope', '=', p.scope).where('until', '>', p.now),
  )

  return {
    async addSession(session) {
      await write(() => addSession(session))
    },
    async session(hash, now) {
      const row = (await read(() => findSession({ hash, now }))).rows[0]
      return row && { hash: row.hash, name: row.name, tokenHash: row.token_hash, until: row.until }
    },
    async endSession(hash) {
      await write(() => endSession({ hash }))
    },
    async refundAttempt(scope) {
      await write(() => refund({ scope }))
    },
    attemptsUntil: async (scope, now) => (await read(() => findWindow({ scope, now }))).rows[0]?.until,
  }
}
