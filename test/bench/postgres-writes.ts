/**
 * Measures how many scans per second one instance commits to PostgreSQL, in batched and in single transactions:
 * `npm run bench postgres-writes`.
 */

import { Kysely, PostgresDialect } from 'kysely'
import { applyIntent, type EventSettings } from '../../server/binding/apply-intent.ts'
import { runPlanAsync } from '../../server/store/plan.ts'
import { createLocks } from '../../server/store/postgres/locks.ts'
import { createPool, inTransaction, POOL_SIZE } from '../../server/store/postgres/pool.ts'
import { openPostgresStore } from '../../server/store/postgres/postgres-store.ts'
import { createQueries } from '../../server/store/sql/queries.ts'
import type { Tables } from '../../server/store/sql/tables.ts'
import { SqlTx } from '../../server/store/sql/unit-of-work.ts'
import type { Store } from '../../server/store/store.ts'
import { startPostgres } from '../support/postgres.ts'
import { newTicket } from '../support/rows.ts'
import { report, round } from './support/report.ts'
import { median, spread } from './support/statistics.ts'

const SCANS = 1_500
const ROUNDS = 3

// The number of scans at a time, as in a busy server. Single transactions are limited to POOL_SIZE at a time, because
// others would wait for a connection and time out.
const AT_ONCE = 64

const postgres = await startPostgres({ isDurable: true })
const url = await postgres.newDatabase()
const settings = { hashOf: (...parts: string[]) => parts.join('|'), hasWebhook: () => true }
const store = await openPostgresStore({ url, ...settings })
const events: EventSettings = {
  appId: 'wx1',
  rules: { conflict: 'reject', confirm: 'off', unsubscribe: 'unbind' },
  texts: {},
  lang: 'zh-CN',
}

let made = 0
let used = 0

async function makeTickets(count: number): Promise<void> {
  for (const end = made + count; made < end; made += 100) {
    await store.write(function* (tx) {
      for (let j = made; j < made + 100; j++) {
        yield* tx.addTicket({ tenant: 'default', account: 'acme', userId: `u${j}` }, newTicket(`t${j}`), false)
      }
    })
  }
}

const scan = (to: Pick<Store, 'write'>, i: number) => {
  const claim = { via: 'SCAN', appId: 'wx1', openid: `o${i}`, createTime: 1 } as const
  const deps = { store: to as Store, events, clock: Date.now, afterCommit: () => {} }
  return applyIntent(deps, { key: `${i}|d` }, { type: 'claim', claim, key: `wb1_t${i}` })
}

/** The store without batched transactions. It uses one transaction for each scan and a pool of the same size. */
const pool = createPool(url)
const queries = createQueries(new Kysely<Tables>({ dialect: new PostgresDialect({ pool }) }), 'postgres')
const alone: Pick<Store, 'write'> = {
  write: (work) =>
    inTransaction(pool, async (run) => {
      const locks = await runPlanAsync(createLocks({ openids: new Set(), users: new Set() }), run)
      return runPlanAsync(work(new SqlTx(queries, settings, new Map(), locks)), run)
    }),
}

/** Measures scans per second and CPU time per scan, with `atOnce` scans at a time. */
async function measure(
  to: Pick<Store, 'write'>,
  count: number,
  atOnce: number,
): Promise<{ rate: number; cpuUs: number }> {
  await makeTickets(count)
  const end = used + count
  const [startedAt, cpu] = [performance.now(), process.cpuUsage()]
  const worker = async () => {
    while (used < end) await scan(to, used++)
  }
  await Promise.all(Array.from({ length: atOnce }, worker))
  const { user, system } = process.cpuUsage(cpu)
  return { rate: (count * 1000) / (performance.now() - startedAt), cpuUs: (user + system) / count }
}

await measure(alone, 300, POOL_SIZE)
await measure(store, 300, AT_ONCE)
const rounds: { together: number; each: number; cpuTogether: number; cpuEach: number }[] = []
for (let i = 0; i < ROUNDS; i++) {
  const each = await measure(alone, SCANS, POOL_SIZE)
  const together = await measure(store, SCANS, AT_ONCE)
  rounds.push({ together: together.rate, each: each.rate, cpuTogether: together.cpuUs, cpuEach: each.cpuUs })
}

const of = (name: keyof (typeof rounds)[number]) => rounds.map((values) => values[name])
report('postgres-writes', [
  {
    what: 'PostgreSQL: scans in batched transactions',
    value: `${round(median(of('together')))}/s ${spread(of('together'))}, ${round(median(of('cpuTogether')))} us of CPU each`,
  },
  {
    what: 'PostgreSQL: scans in single transactions, pool of ten',
    value: `${round(median(of('each')))}/s ${spread(of('each'))}, ${round(median(of('cpuEach')))} us of CPU each`,
  },
  {
    what: 'PostgreSQL: batched relative to single transactions',
    value: `${median(rounds.map(({ together, each }) => together / each)).toFixed(2)}x`,
    number: median(rounds.map(({ together, each }) => together / each)),
    goal: { text: '2x', atLeast: 2 },
  },
])

await pool.end()
await store.close()
await postgres.remove()
process.exit()
