/** Moves a store from SQLite to PostgreSQL: all or nothing, and each row compared with its copy. NODE. */
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { Kysely, PostgresDialect, sql } from 'kysely'
import { BindError } from '../errors.ts'
import { createMaintenancePool } from './postgres/pool.ts'
import { migrateToLatest } from './sql/migrations.ts'
import type { Tables } from './sql/tables.ts'
import { nodeSqliteDialect } from './sqlite/dialect.ts'

type Table = keyof Tables
type Row = Record<string, unknown>

/** Each table with its key, in whose order it is read. */
const keys = {
  users: 'id',
  bindings: 'user',
  tickets: 'id',
  events: 'id',
  deliveries: 'key',
  unfollow_tombstones: 'openid_hash',
  outbox: 'event',
  wrong_codes: 'id',
  jtis: 'id',
  leases: 'name',
} as const satisfies Record<Table, string>

const tables = Object.keys(keys) as Table[]

/** How many rows a table has, and the SHA-256 over all of them in the order of their keys. */
export type Digest = { table: Table; rows: number; sha256: string }

type CopyOptions = {
  /** The SQLite file. */
  from: string
  /** `postgres://...`, a database without anything of ours in it. */
  to: string
  onTable?: (digest: Digest) => void
}

const BATCH = 1000

/**
 * Copies all tables in one transaction: it is there as a whole, or not at all and can be started again. While it runs, nobody
 * writes to the file. Throws `BAD_CONFIG` when there is no such file, the target is not empty, or a copy differs from its row.
 */
export async function copyStore({ from, to, onTable = () => {} }: CopyOptions): Promise<Digest[]> {
  if (!existsSync(from)) throw refused(`There is no file ${from}: --from names the SQLite file of the server.`)
  const source = new DatabaseSync(from)
  const target = new Kysely<Tables>({ dialect: new PostgresDialect({ pool: createMaintenancePool(to) }) })
  try {
    await migrateToLatest(new Kysely<Tables>({ dialect: nodeSqliteDialect(source) }), 'sqlite')
    await migrateToLatest(target, 'postgres')
    // A server that still runs gets faults instead of writing what nobody would copy.
    source.exec('begin immediate')
    return await target.transaction().execute(async (transaction) => {
      await expectEmpty(transaction)
      const digests: Digest[] = []
      for (const table of tables) {
        await copyTable(source, transaction, table)
        const digest = await verifyTable(source, transaction, table)
        digests.push(digest)
        onTable(digest)
      }
      return digests
    })
  } finally {
    source.close()
    await target.destroy()
  }
}

/** Locked, too: a server that starts on the target waits until all is there. */
async function expectEmpty(target: Kysely<Tables>): Promise<void> {
  await sql`lock table ${sql.join(tables.map((table) => sql.table(table)))} in exclusive mode`.execute(target)
  for (const table of tables) {
    const { rows } = await sql`select 1 from ${sql.table(table)} limit 1`.execute(target)
    if (rows.length > 0) throw refused(`The target's table ${table} is not empty: name a new database with --to.`)
  }
}

async function copyTable(source: DatabaseSync, target: Kysely<Tables>, table: Table): Promise<void> {
  for (const rows of batchesOf(source, table)) {
    const columns = sql.join(Object.keys(rows[0]!).map((column) => sql.ref(column)))
    // The rows as one parameter, whatever their number; ids are kept as they are.
    await sql`
      insert into ${sql.table(table)} (${columns}) overriding system value
      select ${columns} from json_populate_recordset(null::${sql.table(table)}, ${JSON.stringify(rows)}::json)
    `.execute(target)
  }
  if (keys[table] !== 'id') return
  await sql`
    select setval(pg_get_serial_sequence(${table}, 'id'), greatest(max(id), 1), max(id) is not null) from ${sql.table(table)}
  `.execute(target)
}

/** Reads both sides anew, side by side. */
async function verifyTable(source: DatabaseSync, target: Kysely<Tables>, table: Table): Promise<Digest> {
  const hash = createHash('sha256')
  let count = 0
  let after: unknown
  for (const rows of batchesOf(source, table)) {
    const copies = await readCopies(target, table, after)
    for (const [i, row] of rows.entries()) {
      const text = toText(row)
      if (copies[i] === undefined || text !== toText(copies[i])) throw differs(table, count + i)
      hash.update(text)
    }
    count += rows.length
    after = rows.at(-1)![keys[table]]
  }
  if ((await readCopies(target, table, after)).length > 0) throw differs(table, count)
  return { table, rows: count, sha256: hash.digest('hex') }
}

/** Keys that are texts are ordered by their bytes, as SQLite does. */
async function readCopies(target: Kysely<Tables>, table: Table, after: unknown): Promise<Row[]> {
  const key = sql.ref(keys[table])
  const order = isNumbered(table) ? key : sql`${key} collate "C"`
  const rest = after === undefined ? sql`` : sql`where ${order} > ${after}`
  return (await sql<Row>`select * from ${sql.table(table)} ${rest} order by ${order} limit ${BATCH}`.execute(target))
    .rows
}

const isNumbered = (table: Table) => ['id', 'user', 'event'].includes(keys[table])

function* batchesOf(source: DatabaseSync, table: Table): Generator<Row[]> {
  const key = `"${keys[table]}"`
  const first = source.prepare(`select * from ${table} order by ${key} limit ${BATCH}`)
  const next = source.prepare(`select * from ${table} where ${key} > ? order by ${key} limit ${BATCH}`)
  for (let rows = first.all(); rows.length > 0; rows = next.all(rows.at(-1)![keys[table]] as string)) yield rows
}

/** One text for equal rows, in whatever order an engine gives the columns. */
const toText = (row: Row) => JSON.stringify(Object.entries(row).sort(([a], [b]) => (a < b ? -1 : 1)))

const refused = (message: string) => new BindError('BAD_CONFIG', message)

const differs = (table: Table, index: number) =>
  refused(`Row ${index + 1} of ${table} differs from its copy: nothing was kept in the target. Please report this.`)
