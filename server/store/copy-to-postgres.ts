/** Copies a store from SQLite to PostgreSQL in one transaction, and compares each row with its copy. Node only. */
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

/** The primary key of each table. Rows are read in the order of the key. */
const primaryKeys = {
  users: 'id',
  bindings: 'user',
  tickets: 'id',
  authorizations: 'id',
  events: 'id',
  feed_heads: 'tenant',
  deliveries: 'key',
  unfollow_tombstones: 'openid_hash',
  outbox: 'event',
  notices: 'id',
  webhook_receivers: 'name',
  wrong_codes: 'id',
  jtis: 'id',
  rate_windows: 'scope',
  leases: 'name',
  console_sessions: 'hash',
  console_actions: 'id',
  figures: 'id',
  wechat_errors: 'id',
  instances: 'name',
  console_reports: 'name',
} as const satisfies Record<Table, string>

const tables = Object.keys(primaryKeys) as Table[]

/** The number of a table's rows, and the SHA-256 of all rows in the order of the primary key. */
export type Digest = { table: Table; rows: number; sha256: string }

type CopyOptions = {
  /** The SQLite file. */
  from: string
  /** `postgres://...`: a database whose tables are missing or empty. */
  to: string
  onTable?: (digest: Digest) => void
}

const BATCH_SIZE = 1000

/**
 * Copies all tables or none, so the copy can be repeated after an error. The SQLite file is locked for writing meanwhile. Throws
 * `BAD_CONFIG` when the file does not exist, the target is not empty, or a row differs from its copy.
 */
export async function copyStore({ from, to, onTable = () => {} }: CopyOptions): Promise<Digest[]> {
  if (!existsSync(from)) throw badConfig(`The file ${from} does not exist: --from must name the server's SQLite file.`)
  const source = new DatabaseSync(from)
  const target = new Kysely<Tables>({ dialect: new PostgresDialect({ pool: createMaintenancePool(to) }) })
  try {
    await migrateToLatest(new Kysely<Tables>({ dialect: nodeSqliteDialect(source) }), 'sqlite')
    await migrateToLatest(target, 'postgres')
    // With this lock, writes of a server that still runs fail. Without the lock, the server could write rows that are not copied.
    source.exec('begin immediate')
    return await target.transaction().execute(async (transaction) => {
      await assertEmpty(transaction)
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

/** Also locks the tables, so that a server that starts on the target waits until the copy is complete. */
async function assertEmpty(target: Kysely<Tables>): Promise<void> {
  await sql`lock table ${sql.join(tables.map((table) => sql.table(table)))} in exclusive mode`.execute(target)
  for (const table of tables) {
    const { rows } = await sql`select 1 from ${sql.table(table)} limit 1`.execute(target)
    if (rows.length > 0) throw badConfig(`The target's table ${table} is not empty: --to must name an empty database.`)
  }
}

async function copyTable(source: DatabaseSync, target: Kysely<Tables>, table: Table): Promise<void> {
  for (const rows of batchesOf(source, table)) {
    const columns = sql.join(Object.keys(rows[0]!).map((column) => sql.ref(column)))
    // One parameter contains all rows. `overriding system value` keeps their ids.
    await sql`
      insert into ${sql.table(table)} (${columns}) overriding system value
      select ${columns} from json_populate_recordset(null::${sql.table(table)}, ${JSON.stringify(rows)}::json)
    `.execute(target)
  }
  if (primaryKeys[table] !== 'id') return
  await sql`
    select setval(pg_get_serial_sequence(${table}, 'id'), greatest(max(id), 1), max(id) is not null) from ${sql.table(table)}
  `.execute(target)
}

/** Reads the rows of both databases again and compares them. */
async function verifyTable(source: DatabaseSync, target: Kysely<Tables>, table: Table): Promise<Digest> {
  const hash = createHash('sha256')
  let count = 0
  let after: unknown
  for (const rows of batchesOf(source, table)) {
    const copies = await readCopies(target, table, after)
    for (const [i, row] of rows.entries()) {
      const text = toText(row)
      if (copies[i] === undefined || text !== toText(copies[i])) throw copyMismatch(table, count + i)
      hash.update(text)
    }
    count += rows.length
    after = rows.at(-1)![primaryKeys[table]]
  }
  if ((await readCopies(target, table, after)).length > 0) throw copyMismatch(table, count)
  return { table, rows: count, sha256: hash.digest('hex') }
}

/** The next batch of copied rows. Keys that are texts are compared by their bytes, as in SQLite. */
async function readCopies(target: Kysely<Tables>, table: Table, after: unknown): Promise<Row[]> {
  const key = sql.ref(primaryKeys[table])
  const order = hasIntegerKey(table) ? key : sql`${key} collate "C"`
  const rest = after === undefined ? sql`` : sql`where ${order} > ${after}`
  return (
    await sql<Row>`select * from ${sql.table(table)} ${rest} order by ${order} limit ${BATCH_SIZE}`.execute(target)
  ).rows
}

const hasIntegerKey = (table: Table) => ['id', 'user', 'event'].includes(primaryKeys[table])

function* batchesOf(source: DatabaseSync, table: Table): Generator<Row[]> {
  const key = `"${primaryKeys[table]}"`
  const first = source.prepare(`select * from ${table} order by ${key} limit ${BATCH_SIZE}`)
  const next = source.prepare(`select * from ${table} where ${key} > ? order by ${key} limit ${BATCH_SIZE}`)
  for (let rows = first.all(); rows.length > 0; rows = next.all(rows.at(-1)![primaryKeys[table]] as string)) yield rows
}

/** Returns the same text for equal rows, whatever the order of their columns. */
const toText = (row: Row) => JSON.stringify(Object.entries(row).sort(([a], [b]) => (a < b ? -1 : 1)))

const badConfig = (message: string) => new BindError('BAD_CONFIG', message)

const copyMismatch = (table: Table, index: number) =>
  badConfig(`Row ${index + 1} of ${table} differs from its copy: the target was left empty. Please report this error.`)
