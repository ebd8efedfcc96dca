import { createHmac, createSecretKey } from 'node:crypto'
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { applyDeed } from '../../server/binding/apply-deed.ts'
import { openSqliteStore } from '../../server/store/sqlite.ts'
import { newTicket } from '../support/rows.ts'
import { sceneOf } from './support/requests.ts'

const N = 40_000,
  G = 64
const folder = mkdtempSync('/tmp/zzstore-')
const key = createSecretKey(Buffer.alloc(32, 1))
const hashOf = (...parts: string[]) => createHmac('sha256', key).update(JSON.stringify(parts)).digest('base64url')
const store = await openSqliteStore({ file: folder + '/b.db', hashOf, hasWebhook: () => false })
for (let i = 0; i < N; i += 1000)
  await store.write(function* (tx) {
    for (let j = i; j < i + 1000; j++)
      yield* tx.addTicket(
        { tenant: 'default', account: 'acme', userId: `u${j}` },
        newTicket('', {
          appId: 'wx1',
          scene: sceneOf(j),
          code: String(j).padStart(8, '0'),
          label: 'ab***@example.com',
          wechatTicket: `gQH${'x'.repeat(90)}`,
        }),
        false,
      )
  })
const settings = {
  appId: 'wx1',
  rules: { conflict: 'reject', confirm: 'off', unsubscribe: 'unbind' } as const,
  texts: {},
  lang: 'zh-CN' as const,
}
const now = Date.now()
for (let r = 0; r < 4; r++) {
  const c0 = process.cpuUsage(),
    t0 = performance.now(),
    n = N / 4
  for (let i = r * n; i < (r + 1) * n; i += G) {
    await Promise.all(
      Array.from({ length: Math.min(G, (r + 1) * n - i) }, (_, k) => {
        const j = i + k
        const openid = `oBench${String((j * 2_654_435_761) % 4_294_967_296).padStart(22, '0')}`
        const createTime = Math.floor(now / 1000) + (j >> 9)
        return applyDeed(
          store,
          settings,
          { key: `${createTime}|wx1|${openid}|SCAN|${sceneOf(j)}` },
          { type: 'claim', claim: { via: 'SCAN', appId: 'wx1', openid, createTime }, key: sceneOf(j) },
          now,
        )
      }),
    )
  }
  const c = process.cpuUsage(c0)
  console.log(
    `${(((performance.now() - t0) * 1000) / n).toFixed(1)} us wall, ${((c.user + c.system) / n).toFixed(1)} us cpu (user ${(c.user / n).toFixed(1)} sys ${(c.system / n).toFixed(1)})`,
  )
}
await store.close()
console.log(statSync(folder + '/b.db').size)
rmSync(folder, { recursive: true })
