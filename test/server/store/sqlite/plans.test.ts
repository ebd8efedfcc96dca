/** SQLite reads no large table as a whole. Its plans do not depend on the number of rows, because the store never runs `analyze`. */
import { expect, test } from 'vitest'
import { runPlanAsync } from '../../../../server/store/plan.ts'
import { runOn } from '../../../../server/store/sql/compiled-query.ts'
import { createOutbox } from '../../../../server/store/sql/outbox.ts'
import { createQueries } from '../../../../server/store/sql/queries.ts'
import { openMemoryTables } from '../../../support/memory-tables.ts'

/** A parameter of each name. */
const anything = new Proxy({}, { get: () => 1 })

async function setUp() {
  const { database, db } = await openMemoryTables()
  const plansOf = (text: string) =>
    (database.prepare(`explain query plan ${text}`).all() as { detail: string }[]).map(({ detail }) => detail)
  return { db, plansOf }
}

// These indexes contain only the few rows that a condition of the index selects.
const fewRows = /USING (COVERING )?INDEX (events_erased|tickets_scanned)/

test('no query of a unit of work reads a whole table', async () => {
  const { db, plansOf } = await setUp()
  const queries = Object.entries(createQueries(db, 'sqlite')) as [string, (p: object) => Generator<{ text: string }>][]
  const scans = queries.flatMap(([name, query]) => {
    const { text } = query(anything).next().value!
    return plansOf(text)
      .filter((plan) => /^SCAN (?!json_each|CONSTANT|\d|\()/.test(plan) && !fewRows.test(plan))
      .map((plan) => `${name}: ${plan}`)
  })
  expect(queries.length).toBeGreaterThan(40)
  expect(scans).toEqual([])
})

test('a dispatch of many events to one receiver reads the list of events once', async () => {
  const { db, plansOf } = await setUp()
  const texts: string[] = []
  const run = runOn(db)
  const outbox = createOutbox({
    db,
    engine: 'sqlite',
    asStoreError: (pending) => pending,
    write: (work) =>
      runPlanAsync(work(), (statement) => {
        texts.push(statement.text)
        return run(statement)
      }),
  })
  await db
    .insertInto('users')
    .values({ id: 1, tenant: 't', account: 'a', user_id: 'u', version: 1 } as never)
    .execute()
  const event = { id: 1, user: 1, tenant: 't', version: 1, type: 'unbound', reason: 'chat', at: 1 }
  await db
    .insertInto('events')
    .values(event as never)
    .execute()
  await db.insertInto('outbox').values({ event: 1, user: 1, tenant: 't', state: 'waiting', next_at: 1 }).execute()
  await outbox.dispatch(1, () => ['one'], 1)
  const adding = texts.filter((text) => text.includes('insert into notices'))
  expect(adding).toHaveLength(1)
  expect(plansOf(adding[0]!).filter((plan) => plan.startsWith('SCAN json_each'))).toHaveLength(1)
})
