import { randomBytes } from 'node:crypto'
import { createAccount } from '../../demo/simulator/account.ts'
import { openSqliteStore } from '../../server/store/sqlite.ts'
import { newTicket } from '../support/rows.ts'
import { startLoad } from './support/load.ts'
import { measure } from './support/measure.ts'
import { sceneOf } from './support/requests.ts'
import { newSqliteEnv, serve } from './support/served.ts'
import { startWechatApi } from './support/wechat-api.ts'

const what = (process.argv[2] ?? 'scan') as 'scan' | 'text' | 'GetBindInfo'
const prof = process.argv.includes('--prof')
const SCANS = what === 'scan' ? 60_000 : 30_000
const account = createAccount({}, randomBytes)
const wechat = await startWechatApi()
const { env, file, remove } = newSqliteEnv(account)
if (!process.argv.includes('--noapi')) env.WECHAT_API_BASE = wechat.url
const store = await openSqliteStore({ file, hashOf: (...parts) => parts.join('|'), hasWebhook: () => false })
if (what === 'scan')
  for (let i = 0; i < SCANS; i += 1_000) {
    await store.write(function* (tx) {
      for (let j = i; j < i + 1_000; j++) {
        const long = {
          appId: account.appId,
          scene: sceneOf(j),
          code: String(j).padStart(8, '0'),
          label: 'ab***@example.com',
          wechatTicket: `gQH${'x'.repeat(90)}`,
        }
        yield* tx.addTicket({ tenant: 'default', account: 'acme', userId: `u${j}` }, newTicket('', long), false)
      }
    })
  }
await store.close()
const load = await startLoad()
await load.make(
  what === 'GetBindInfo' ? { what, from: 0, count: SCANS, users: 1000 } : { what, account, from: 0, count: SCANS },
)
const floor = await serve('serve-floor.ts')
const ours = await serve('serve-ours.ts', env, prof ? ['--cpu-prof', '--cpu-prof-dir=/tmp/prof'] : [])
let from = 0
for (let i = 0; i < 6; i++) {
  const f = await measure(load, floor, { from: 0, count: 30_000, connections: 64, ms: 800, expects: { status: 200 } })
  const o = await measure(load, ours, {
    from,
    count: Math.floor((SCANS - from) / 2),
    connections: 64,
    ms: 1200,
    expects: { status: 200 },
  })
  from += o.sent
  console.log(
    `floor ${f.rate.toFixed(0)}/s ${f.cpuUs.toFixed(1)}us | ours ${o.rate.toFixed(0)}/s ${o.cpuUs.toFixed(1)}us share ${(o.rate / f.rate).toFixed(3)} idle ${o.loadIdle.toFixed(2)} commits/1000 ${o.commitsPer1000.toFixed(0)} p99 ${o.p99.toFixed(1)}`,
  )
}
await ours.end()
await floor.end()
await load.end()
wechat.end()
remove()
process.exit()
