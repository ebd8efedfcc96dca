/** With 100,000 bindings, PostgreSQL plans every statement of the store with an index. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { allStatements, fillStore, planOf } from '../../../support/big-store.ts'
import { newSubscriber, type Postgres, startPostgres } from '../../../support/postgres.ts'

let postgres: Postgres
let url: string

beforeAll(async () => {
  postgres = await startPostgres()
  url = await postgres.newDatabase()
  // Enough for the plans of a table with millions of rows. `npm run bench store-size` checks 1,000,000.
  await fillStore(url, 100_000)
}, 120_000)
afterAll(() => postgres.remove(), 30_000)

test('no statement of the store reads a whole table', async () => {
  const connection = await newSubscriber(url, 'none')
  const texts = await allStatements(url)
  expect(texts.length).toBeGreaterThan(40)
  const readsAll: string[] = []
  for (const text of texts) {
    const scans = await planOf(async (explain) => (await connection.query(explain)).rows, text)
    // The table has one row.
    if (scans.some(({ kind, table }) => kind === 'Seq Scan' && table !== 'leases')) readsAll.push(text)
  }
  expect(readsAll).toEqual([])
})
