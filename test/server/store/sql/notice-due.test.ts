import { expect, test } from 'vitest'
import { runPlanAsync } from '../../../../server/store/plan.ts'
import { runOn } from '../../../../server/store/sql/compiled-query.ts'
import { createMakeDue } from '../../../../server/store/sql/notice-due.ts'
import { openMemoryTables } from '../../../support/memory-tables.ts'

test('makes a thousand notices due in transactions that grow while they are short', async () => {
  const { database, db } = await openMemoryTables()
  database.exec(
    `insert into notices (event, "user", receiver, state, next_at, attempts) with recursive i(n) as (select 1 union all select n + 1 from i where n < 1000)
       select n, 1, case when n % 10 = 0 then 'other' else 'shop' end, 'failed', n, 8 from i`,
  )
  const batches: number[] = []
  const makeDue = createMakeDue(
    db,
    'sqlite',
    async (work, options) => {
      const written = await runPlanAsync(work(), runOn(db))
      batches.push((written as { changes: number }).changes)
      options?.onTook?.(1)
      return written
    },
    (pending) => pending,
  )
  expect(await makeDue(5_000, 'failed', { receiver: 'shop' })).toBe(900)
  expect(batches).toEqual([25, 50, 100, 200, 200, 200, 125])
  const states = database.prepare('select receiver, state, attempts, count(*) as n from notices group by 1, 2, 3').all()
  expect(states).toEqual([
    { receiver: 'other', state: 'failed', attempts: 8, n: 100 },
    { receiver: 'shop', state: 'waiting', attempts: 0, n: 900 },
  ])
})
