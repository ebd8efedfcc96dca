/**
 * Measures the time from a commit in one process to the answer to a page that waits at another process:
 * `npm run bench cross-process-wake`.
 */
import { randomBytes } from 'node:crypto'
import { createAccount } from '../../demo/simulator/account.ts'
import { openPostgresStore } from '../../server/store/postgres/postgres-store.ts'
import { deliverScan, startInstance, untilWaiting } from '../support/instance.ts'
import { newSubscriber, startPostgres } from '../support/postgres.ts'
import { addUser, newTicket } from '../support/rows.ts'
import { report } from './support/report.ts'
import { quantile } from './support/statistics.ts'

const ROUNDS = 400

const account = createAccount({}, randomBytes)
const postgres = await startPostgres()
const url = await postgres.newDatabase()
const [waitsHere, scansHere] = await Promise.all([0, 1].map(() => startInstance(account, { DATABASE_URL: url })))
const store = await openPostgresStore({ url, hashOf: (...parts) => parts.join(), hasWebhook: () => false })
const floor = await newSubscriber(url, 'floor')

const afterCommit: number[] = []
const afterScan: number[] = []
const bare: number[] = []

for (let i = 0; i < ROUNDS + 20; i++) {
  const identity = { tenant: 'default', account: 'acme', userId: `u${i}` }
  const user = await addUser(store, identity)
  await store.write((tx) => tx.addTicket(identity, newTicket(`scan${i}`, { appId: account.appId }), false))

  // This process commits, and the page waits at an instance.
  const first = await park(identity.userId, 0)
  await store.write((tx) => tx.apply({ type: 'unbind', user, reason: 'chat', at: 0 }))
  const committedAt = performance.now()
  const firstTook = (await first.answered) - committedAt

  // The page waits at one instance, and the bench sends the scan to the other instance. The time begins when the scan
  // is sent.
  const second = await park(identity.userId, 1)
  const sentAt = performance.now()
  const [wokenAt] = await Promise.all([
    second.answered,
    deliverScan(account, scansHere!, { openid: `o${i}`, scene: `wb1_scan${i}` }),
  ])

  // The lower bound: a notification from one PostgreSQL connection to another, without a store.
  const notifiedAt = performance.now()
  await Promise.all([floor.until(`${i}`), floor.query(`select pg_notify('floor', '${i}')`)])
  const floorTook = performance.now() - notifiedAt

  // The first rounds only warm up the servers.
  if (i < 20) continue
  afterCommit.push(firstTook)
  afterScan.push(wokenAt - sentAt)
  bare.push(floorTook)
}

const line = (what: string, times: number[]) => ({
  what,
  value: `${quantile(times, 0.5).toFixed(2)} / ${quantile(times, 0.99).toFixed(2)} ms`,
  number: quantile(times, 0.99),
})
report('cross-process-wake', [
  line('pg_notify between two connections, bare, p50 / p99', bare),
  {
    ...line('commit in one process, page at another answered, p50 / p99', afterCommit),
    goal: { text: '10 / 50 ms', atMost: 50 },
  },
  line('scan at one instance, page at the other answered, p50 / p99', afterScan),
])

await store.close()
await Promise.all([waitsHere, scansHere].map((instance) => instance!.end('SIGTERM')))
await postgres.remove()
process.exit()

/** Resolves when the poll waits. `answered` resolves with the time of the answer. */
async function park(userId: string, version: number): Promise<{ answered: Promise<number> }> {
  const token = await waitsHere!.client.mintToken({ account: 'acme', userId })
  const headers = { Authorization: `Bearer ${token}`, 'If-None-Match': `"${version}"`, Prefer: 'wait=25' }
  const answered = fetch(`${waitsHere!.url}/widget/binding`, { headers }).then(async (response) => {
    const at = performance.now()
    if (response.headers.get('ETag') !== `"${version + 1}"`) throw new Error(`HTTP ${response.status}`)
    await response.text()
    return at
  })
  await untilWaiting(waitsHere!, 1)
  return { answered }
}
