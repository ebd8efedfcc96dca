/** The bindings whose unionid has not been requested from WeChat. The column `unionid_due` is the queue that all instances share. */
import { sql } from 'kysely'
import { createBatchSize } from '../batch-size.ts'
import type { Plan } from '../plan.ts'
import type { Store, Tx, UnionidAnswer, UnionidStore } from '../store.ts'
import { query } from './compiled-query.ts'
import { inSubquery, skipLocked } from './dialects.ts'
import type { Engine } from './engine.ts'
import type { AsStoreError } from './engine-errors.ts'
import type { Db } from './tx-settings.ts'

export function createUnionidQueue(
  db: Db,
  write: <T>(work: () => Plan<T>) => Promise<T>,
  apply: Store['write'],
  asStoreError: AsStoreError,
  engine: Engine,
): UnionidStore {
  const claimDueUnionids = query((p: { now: number; againAt: number; limit: number }) =>
    db
      .updateTable('bindings')
      .set({ unionid_due: p.againAt })
      .where(
        sql<boolean>`${sql.ref('user')} ${inSubquery(engine, sql`select ${sql.ref('user')} from bindings where unionid_due <= ${p.now} order by unionid_due limit ${p.limit} ${skipLocked(engine)}`)}`,
      )
      .returning(['user', 'openid', 'version', 'unionid_due as due'])
      .$narrowType<{ due: number }>(),
  )

  const batch = createBatchSize()

  return {
    claimDue: async (now, againAt, limit) =>
      (await asStoreError(write(() => claimDueUnionids({ now, againAt, limit })))).rows,
    async save(answers, at) {
      for (let done = 0; done < answers.length; ) {
        const next = answers.slice(done, done + batch.present())
        await apply((tx) => saveAll(tx, next, at), { onTook: batch.note })
        done += next.length
      }
    },
  }
}

function* saveAll(tx: Tx, answers: UnionidAnswer[], at: number): Plan<void> {
  yield* tx.lockUsers(answers.map(({ user }) => user).sort((a, b) => a - b))
  for (const { follows, ...answer } of answers) {
    const { user, openid } = answer
    if (follows) yield* tx.apply({ type: 'setFollowing', user, openid, ...follows, at })
    yield* tx.apply({ type: 'setUnionid', ...answer, at })
  }
}
