/**
 * Fills the store until it refuses a write, and prints the answer of /readyz. Must run with a limit on the size of
 * files (`ulimit -f`).
 */
import { join } from 'node:path'
import { openSqliteStore } from '../../server/store/sqlite/sqlite-store.ts'
import { createReadiness } from '../../server/telemetry/readiness.ts'

const [folder = ''] = process.argv.slice(2)
const store = await openSqliteStore({
  file: join(folder, 'bind.db'),
  hashOf: (...parts) => parts.join(),
  hasWebhook: () => false,
})
let now = 1_000_000
const readiness = createReadiness({
  store,
  wechat: { checkAccess: async () => {} },
  clock: () => now,
  warn: () => true,
})
const before = await readiness()
// Long rows fill the file quickly. Then short rows fill the rest of it, because the readiness check writes a short row.
for (const text of ['x'.repeat(50_000), null]) {
  for (let i = 0, isFull = false; !isFull; i++) {
    isFull = await store
      .write((tx) => tx.recordDelivery(`${i}|filling ${text?.length}`, text, now))
      .then(
        () => false,
        () => true,
      )
  }
}
now += 10_000
const reads = await store.user({ tenant: 'a', account: 'b', userId: 'c' }).then(() => true)
process.stdout.write(JSON.stringify({ before, reads, after: await readiness() }), () => process.exit())
