/**
 * Prints the size of a store with a million users, and the index that each statement uses: `npm run bench store-size`,
 * or `node test/bench/store-size.ts 100000` for another number of users.
 */
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { copyStore } from '../../server/store/copy-to-postgres.ts'
import { openSqliteStore } from '../../server/store/sqlite/sqlite-store.ts'
import { allStatements, fillStore, planOf } from '../support/big-store.ts'
import { newSubscriber, query, startPostgres } from '../support/postgres.ts'
import { newBinding, newTicket } from '../support/rows.ts'

const users = Number(process.argv[2] ?? 1_000_000)
const BOUND = Math.min(users, 100_000)

const folder = mkdtempSync(join(tmpdir(), 'wechat-bind-size-'))
const postgres = await startPostgres()
try {
  await sameRowsInBoth()
  await plans()
} finally {
  await postgres.remove()
  rmSync(folder, { recursive: true })
}
process.exit()

/** Binds users through the store in SQLite, then copies them to PostgreSQL. */
async function sameRowsInBoth(): Promise<void> {
  const file = join(folder, 'bind.db')
  const settings = {
    hashOf: (...parts: string[]) => parts.join('|').slice(0, 43).padEnd(43, '='),
    hasWebhook: () => false,
  }
  const store = await openSqliteStore({ file, ...settings })
  for (let i = 0; i < BOUND; i += 1000) {
    await store.write(function* (tx) {
      for (let j = i; j < i + 1000; j++) {
        const identity = { tenant: 'default', account: 'acme', userId: `user-${String(j).padStart(12, '0')}` }
        const name = `${String(j).padStart(9, '0')}0123456789abc`
        const label = 'ab***@example.com'
        const long = {
          label,
          wechatTicket: name.repeat(4),
          url: `http://weixin.qq.com/q/02${name}`,
          code: String(j).padStart(8, '0'),
        }
        const { user, id } = yield* tx.addTicket(identity, newTicket(name, long), false)
        const binding = { ...newBinding(`oABCDE${name}`), appId: 'wx0123456789abcdef', unionid: `o6_bm${name}`, label }
        yield* tx.apply({ type: 'close', ticket: id, user, as: 'used', bumpsVersion: false })
        yield* tx.apply({ type: 'bind', user, binding, reason: 'scan', at: Date.now() })
        yield* tx.recordDelivery(name, '已绑定“ab***@example.com”。\n不是您本人操作？回复“解绑”即可撤销。', Date.now())
        yield* tx.consumeJti(name, Date.now())
      }
    })
  }
  await store.close()
  const sqlite = sizesInSqlite(file)
  const url = await postgres.newDatabase()
  const startedAt = performance.now()
  await copyStore({ from: file, to: url })
  const seconds = (performance.now() - startedAt) / 1000
  await query(url, 'vacuum analyze')
  const inPostgres = await sizesInPostgres(url)
  console.log(`\nBytes per row with ${BOUND} rows in each table, including indexes:`)
  for (const table of ['users', 'bindings', 'tickets', 'events', 'deliveries', 'jtis']) {
    const each = (sizes: Map<string, number>) => String(Math.round((sizes.get(table) ?? 0) / BOUND)).padStart(5)
    console.log(`  ${table.padEnd(10)} SQLite ${each(sqlite)}   PostgreSQL ${each(inPostgres)}`)
  }
  console.log(`  the SQLite file: ${statSync(file).size} bytes; copied and verified in ${seconds.toFixed(1)} s`)
}

function sizesInSqlite(file: string): Map<string, number> {
  const database = new DatabaseSync(file)
  const rows = database
    .prepare(
      'select tbl_name as name, sum(pgsize) as bytes from dbstat join sqlite_schema using (name) group by tbl_name',
    )
    .all() as { name: string; bytes: number }[]
  database.close()
  return new Map(rows.map(({ name, bytes }) => [name, bytes]))
}

async function sizesInPostgres(url: string): Promise<Map<string, number>> {
  const rows = await query<{ name: string; bytes: string }>(
    url,
    "select relname as name, pg_total_relation_size(oid) as bytes from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace",
  )
  return new Map(rows.map(({ name, bytes }) => [name, Number(bytes)]))
}

async function plans(): Promise<void> {
  const url = await postgres.newDatabase()
  await fillStore(url, users)
  const connection = await newSubscriber(url, 'none')
  console.log(`\nWith ${users} bindings in PostgreSQL, the indexes that each statement uses:`)
  for (const text of await allStatements(url)) {
    const scans = await planOf(async (explain) => (await connection.query(explain)).rows, text)
    const used = scans
      .map(({ kind, table, index }) => index ?? (kind === 'Seq Scan' ? `ALL OF ${table}` : ''))
      .filter(Boolean)
    console.log(`  ${([...new Set(used)].join(', ') || '-').padEnd(48)} ${text.replaceAll('"', '').slice(0, 110)}`)
  }
}
