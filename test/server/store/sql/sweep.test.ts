import { describe, expect, test } from 'vitest'
import { createSweep } from '../../../../server/store/sql/sweep.ts'
import { openMemoryTables } from '../../../support/memory-tables.ts'

/** A store with expired deliveries, and a sweep each of whose batches takes the time that `tookMs` returns. */
async function setUp(expired: number, tookMs: () => number) {
  const { database, db } = await openMemoryTables()
  const insert = (count: number) =>
    database.exec(
      `insert into deliveries (key, until) with recursive i(n) as (select 1 union all select n + 1 from i where n < ${count}) select n, n from i`,
    )
  if (expired > 0) insert(expired)
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
  return { batches, insert, sweep: createSweep(db, (pending) => pending, 'sqlite', onBatch, clock) }
}

describe('createSweep', () => {
  test('begins with small batches, and deletes larger ones while they are fast, and smaller ones while they take long', async () => {
    let batch = 0
    const { batches, sweep } = await setUp(1_000, () => (batch++ < 4 ? 1 : 30))
    await sweep(1_000)
    expect(batches).toEqual([25, 50, 100, 200, 200, 100, 50, 25, ...Array(10).fill(25)])
  })

  test('keeps the size of batches that are neither fast nor slow', async () => {
    let batch = 0
    const { batches, sweep } = await setUp(500, () => (batch++ < 1 ? 1 : 7))
    await sweep(1_000)
    expect(batches).toEqual([25, ...Array(9).fill(50), 25])
  })

  test('keeps the size after tables with few expired rows', async () => {
    const { batches, insert, sweep } = await setUp(10, () => 1)
    await sweep(1_000)
    insert(60)
    await sweep(1_000)
    expect(batches).toEqual([10, 25, 35])
  })

  test('leaves rows that have not expired', async () => {
    const { batches, sweep } = await setUp(500, () => 1)
    await sweep(300)
    expect(batches).toEqual([25, 50, 100, 125])
  })
})
