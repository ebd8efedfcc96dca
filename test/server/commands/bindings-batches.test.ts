/** Commands that change many bindings use several transactions, each with few enough rows for its budget of time. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { batchOf, importBindings } from '../../../server/commands/bindings/import.ts'
import { moveAll } from '../../../server/commands/bindings/move-openids.ts'
import { openStore } from '../../../server/store/open-store.ts'
import type { Store } from '../../../server/store/store.ts'
import { createTestTerminal } from '../../support/test-terminal.ts'

let folder: string
let store: Store
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'wechat-bind-batches-'))
  store = await openStore('sqlite::memory:', { hashOf: (...parts) => parts.join(), hasWebhook: () => false })
})
afterEach(async () => {
  await store.close()
  rmSync(folder, { recursive: true })
})

/** A store that says that transaction number `i` took `tookMs(i)`. */
function slowed(tookMs: (i: number) => number) {
  let writes = 0
  const slow: Store = {
    ...store,
    async write(work, options) {
      const written = await store.write(work)
      options?.onTook?.(tookMs(writes++))
      return written
    },
  }
  return { slow, writes: () => writes }
}

/** Imports 500 lines. Returns the number of lines of each transaction. */
async function importBatches(databaseUrl: string, tookMs: (i: number) => number): Promise<number[]> {
  const file = join(folder, 'in.csv')
  writeFileSync(file, `Account,User_ID,OpenId\n${Array.from({ length: 500 }, (_, i) => `acme,u${i},o${i}\n`).join('')}`)
  const done = [0]
  const terminal = {
    ...createTestTerminal().terminal,
    progress(text: string) {
      const [, lines] = /^(\d+) \/ 500/.exec(text) ?? []
      if (lines !== undefined) done.push(Number(lines))
    },
  }
  await importBindings(
    { store: slowed(tookMs).slow, clock: Date.now, terminal, delay: async () => {} },
    {
      file,
      tenant: undefined,
      account: undefined,
      appId: 'wx1',
      conflict: 'reject',
      batch: batchOf(databaseUrl),
      isDryRun: false,
      takesAnyAppId: false,
    },
  )
  return done.slice(1).map((lines, i) => lines - done[i]!)
}

test('an import into SQLite has fewer lines in each transaction while transactions hold the write lock for long', async () => {
  const isSlow = (i: number) => i > 2 && i < 6
  expect(await importBatches('sqlite:bind.db', (i) => (isSlow(i) ? 12 : 3))).toEqual([25, 50, 100, 200, 100, 25])
})

test('an import into PostgreSQL has larger transactions, because they delay only callbacks of their own users', async () => {
  expect(await importBatches('postgres://127.0.0.1/bind', (i) => (i < 3 ? 37 : 120))).toEqual([25, 50, 100, 250, 75])
})

test('move-openids stores the openids of one call to WeChat in several transactions', async () => {
  await importBatches('sqlite:bind.db', () => 3)
  const { slow, writes } = slowed(() => 7)
  const changeOpenids = async (_: string, openids: string[]) => openids.map((openid) => ({ openid: `new-${openid}` }))
  const { terminal, written } = createTestTerminal()
  await moveAll(
    { store: slow, wechat: { changeOpenids }, clock: Date.now, terminal },
    { from: 'wx1', originalId: undefined, tenant: undefined, appId: 'wx2', allowsMany: false, isDryRun: false },
  )
  expect([writes(), written.out]).toEqual([20, expect.stringContaining('Moved: 500 moved')])
})
