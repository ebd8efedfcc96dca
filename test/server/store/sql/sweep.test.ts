import { DatabaseSync } from 'node:sqlite'
import { Kysely } from 'kysely'
import { describe, expect, onTestFinished, test } from 'vitest'
import { migrateToLatest } from '../../../../server/store/sql/migrations.ts'
import { createSweep } from '../../../../server/store/sql/sweep.ts'
import type { Tables } from '../../../../server/store/sql/tables.ts'
import { nodeSqliteDialect } from '../../../../server/store/sqlite/dialect.ts'

/** A store with expired deliveries, and a sweep each of whose batches takes the time that `tookMs` returns. */
async function setUp(expired: number, tookMs: () => number) {
  const database = new DatabaseSync(':memory:')
  onTestFinished(() => database.close())
  const db = new Kysely<Tables>({ dialect: nodeSqliteDialect(database, (statement) => statement()) })
  await migrateToLatest(db, 'sqlite')
  database.exec(
    `insert into deliveries (key, until) with recursive i(n) as (select 1 union all select n + 1 from i where n < ${expired}) select n, n from i`,
  )
  const batches: number[] = []
  let elapsed = 0
  let isRunning = false
  /** Called at the start and at the end of each batch. */
  const clock = () => {
    if (isRunning) elapsed += tookMs()
    isRunning = !isRunning
    return elapsed
  }
  const onBatch = async (rows: number) => {
    if (rows > 0) batches.push(rows)
  }
  return { batches, sweep: createSweep(db, (pending) => pending, 'sqlite', onBatch, clock) }
}

describe('createSweep', () => {
  test('deletes smaller batches while they take long, and larger ones once they are fast again', async () => {
    let batch = 0
    const { batches, sweep } = await setUp(1_000, () => (batch++ < 4 ? 30 : 1))
    await sweep(1_000)
    expect(batches).toEqual([200, 100, 50, 25, 25, 50, 100, 200, 200, 50])
  })

  test('keeps the size of batches that are neither fast nor slow', async () => {
    const { batches, sweep } = await setUp(500, () => 7)
    await sweep(1_000)
    expect(batches).toEqual([200, 200, 100])
  })

  test('leaves rows that have not expired', async () => {
    const { batches, sweep } = await setUp(500, () => 1)
    await sweep(300)
    expect(batches).toEqual([200, 100])
  })
})
