/**
 * Measures calls of GetBindInfo per second, including the encryption and decryption by `jose`:
 * `npm run bench encrypted-api`.
 */
import { randomBytes } from 'node:crypto'
import { createAccount } from '../../demo/simulator/account.ts'
import { openSqliteStore } from '../../server/store/sqlite/sqlite-store.ts'
import { addUser, bindTo } from '../support/rows.ts'
import { startLoad } from './support/load.ts'
import { type Measured, measure, rateLine, shares } from './support/measure.ts'
import { report } from './support/report.ts'
import { newSqliteEnv, serve, serveOurs } from './support/served.ts'
import { median } from './support/statistics.ts'

const ROUNDS = 4
// The first rounds are not measured. V8 still optimizes the code after 10,000 calls.
const WARM_UPS = 2
const MS = 1_500
const CALLS = 80_000
const USERS = 1_000

const { env, file, remove } = newSqliteEnv(createAccount({}, randomBytes))
const store = await openSqliteStore({ file, hashOf: (...parts) => parts.join('|'), hasWebhook: () => false })
for (let i = 0; i < USERS; i += 100) {
  await Promise.all(
    Array.from({ length: 100 }, async (_, j) => {
      const user = await addUser(store, { tenant: 'default', account: 'acme', userId: `u${i + j}` })
      await bindTo(store, user, `o${i + j}`)
    }),
  )
}
await store.close()

const load = await startLoad()
await load.make({ what: 'GetBindInfo', from: 0, count: CALLS, users: USERS })
const floor = await serve('serve-floor.ts')
const ours = await serveOurs(env)

const rounds = { floor: [] as Measured[], ours: [] as Measured[] }
let called = 0
for (let i = 0; i < WARM_UPS + ROUNDS; i++) {
  for (const [name, served] of [
    ['floor', floor],
    ['ours', ours],
  ] as const) {
    // The bind server accepts the jti of a call only once, so each call needs a new request.
    const from = name === 'ours' ? called : 0
    const job = { from, count: Math.floor((CALLS - from) / 2), connections: 64, ms: MS, expects: { status: 200 } }
    const measured = await measure(load, served, job)
    if (name === 'ours') called += measured.sent
    if (i >= WARM_UPS) rounds[name].push(measured)
  }
}

const share = median(shares(rounds.ours, rounds.floor))
report('encrypted-api', [
  rateLine('floor: Hono + node-server, constant answer', rounds.floor),
  rateLine('GetBindInfo', rounds.ours, rounds.floor),
  {
    what: 'GetBindInfo, relative to the floor',
    value: share.toFixed(2),
    number: share,
    goal: { text: '0.13', atLeast: 0.13 },
  },
])
await floor.end()
await ours.end()
await load.end()
remove()
process.exit()
