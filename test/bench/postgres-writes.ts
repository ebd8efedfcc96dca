/** How many scans one instance commits to PostgreSQL, and what one costs the process: `npm run bench postgres-writes`. */
import { applyDeed, type EventSettings } from '../../server/binding/apply-deed.ts'
import { openPostgresStore } from '../../server/store/postgres.ts'
import { startPostgres } from '../support/postgres.ts'
import { newTicket } from '../support/rows.ts'

const SCANS = 1_000

const postgres = await startPostgres()
const url = await postgres.newDatabase()
const store = await openPostgresStore({ url, hashOf: (...parts) => parts.join('|'), hasWebhook: () => true })
const events: EventSettings = {
  appId: 'wx1',
  rules: { conflict: 'reject', confirm: 'off', unsubscribe: 'unbind' },
  texts: {},
  lang: 'zh-CN',
}

for (let i = 0; i < SCANS * 2 + 200; i += 100) {
  await store.write(async (tx) => {
    for (let j = i; j < i + 100; j++) {
      await tx.addTicket({ tenant: 'default', account: 'acme', userId: `u${j}` }, newTicket(`t${j}`), false)
    }
  })
}

const scan = (i: number) => {
  const claim = { via: 'SCAN', appId: 'wx1', openid: `o${i}`, createTime: 1 } as const
  return applyDeed(store, events, { key: `d${i}` }, { type: 'claim', claim, key: `wb1_t${i}` }, Date.now())
}

/** Runs them and prints what one took. */
async function measure(what: string, run: () => Promise<unknown>): Promise<void> {
  const [startedAt, cpu] = [performance.now(), process.cpuUsage()]
  await run()
  const took = performance.now() - startedAt
  const { user, system } = process.cpuUsage(cpu)
  const rate = Math.round((SCANS * 1000) / took)
  console.log(`${what.padEnd(24)} ${rate}/s, ${((user + system) / 1000 / SCANS).toFixed(2)} ms of CPU each`)
}

for (let i = 0; i < 200; i++) await scan(i)
await measure('scans, one by one:', async () => {
  for (let i = 0; i < SCANS; i++) await scan(200 + i)
})
await measure('scans, all at once:', () =>
  Promise.all(Array.from({ length: SCANS }, (_, i) => scan(200 + SCANS + i).catch(() => 'too late'))),
)

await store.close()
await postgres.remove()
process.exit()
