/** PostgreSQL uses an index for every statement of the store when there are 50,000 bindings. */
import { beforeAll, expect, test } from 'vitest'
import { allStatements, fillStore, planOf } from '../../../support/big-store.ts'
import { newMigratedDatabase } from '../../../support/databases.ts'
import { newSubscriber } from '../../../support/postgres.ts'

let url: string

beforeAll(async () => {
  url = await newMigratedDatabase()
  // With this size PostgreSQL makes the same plans as for millions of rows. `npm run bench store-size` checks 1,000,000.
  await fillStore(url, 50_000)
}, 150_000)
/** These tables have a few rows, or one for each tenant, instance, session, or hour and errcode. */
const smallTables = [
  'leases',
  'webhook_receivers',
  'feed_heads',
  'instances',
  'console_reports',
  'console_sessions',
  'wechat_errors',
]

test('no statement of the store reads a whole table', async () => {
  const connection = await newSubscriber(url, 'none')
  const texts = await allStatements(url)
  expect(texts.length).toBeGreaterThan(40)
  const readsAll: string[] = []
  for (const text of texts) {
    const scans = await planOf(async (explain) => (await connection.query(explain)).rows, text)
    const isSmall = (table: string) => smallTables.includes(table)
    if (scans.some(({ kind, table }) => kind === 'Seq Scan' && !isSmall(table))) readsAll.push(text)
  }
  expect(readsAll).toEqual([])
})

test('with statistics from a time without unpublished and erased events, the events of one user are read by the index of the user', async () => {
  const connection = await newSubscriber(url, 'none')
  await connection.query('update events set position = id where position is null')
  await connection.query('vacuum analyze events')
  const texts = (await allStatements(url)).filter((text) => /events/.test(text) && /"user" = \$/.test(text))
  expect(texts.filter((text) => /\+position is null/.test(text))).toHaveLength(2)
  expect(texts.filter((text) => /\+erased = 1/.test(text)).length).toBeGreaterThan(2)
  const indexes = new Set<string | undefined>()
  for (const text of texts) {
    const scans = await planOf(async (explain) => (await connection.query(explain)).rows, text)
    for (const { table, index } of scans) if (table === 'events') indexes.add(index)
  }
  expect(indexes).toContain('events_user')
  expect(indexes).not.toContain('events_unpublished')
  expect(indexes).not.toContain('events_erased')
})
