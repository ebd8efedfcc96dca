/** Inspects the store without changing it. A new version's doctor must not upgrade the tables of an old running server. Node only. */
import { accessSync, constants, existsSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { Kysely, PostgresDialect, sql } from 'kysely'
import { DEFAULT_MIGRATION_TABLE } from 'kysely/migration'
import { migrateToLatest } from '../store/sql/migrations.ts'
import { countOtherBindings } from '../store/sql/reads.ts'
import type { Db } from '../store/sql/tx-settings.ts'
import { nodeSqliteDialect } from '../store/sqlite/dialect.ts'
import type { CountBindings } from './bound-accounts.ts'
import type { FindReceiversOff } from './receivers-off.ts'
import type { StoreInspection } from './store.ts'

type Tables = { [DEFAULT_MIGRATION_TABLE]: { name: string } }

const SQLITE = 'sqlite:'

export async function inspectStore(databaseUrl: string): Promise<StoreInspection> {
  const known = await knownMigrations()
  const isFile = databaseUrl.startsWith(SQLITE)
  const db = await openDatabase(databaseUrl)
  return { applied: db && (await inspectDatabase(db, isFile ? 'begin immediate' : 'begin read write')), known }
}

/** Counts the bindings of other accounts than `appId`. */
export const countBindings: CountBindings = async (databaseUrl, appId) => {
  const db = await openDatabase(databaseUrl)
  try {
    return db && (await appliedMigrations(db)) ? await countOtherBindings(db as unknown as Db, appId) : 0
  } finally {
    await db?.destroy()
  }
}

/** Returns no receiver if the store has no table `webhook_receivers`, which migration 0005 creates. */
export const findReceiversOff: FindReceiversOff = async (databaseUrl) => {
  const db = (await openDatabase(databaseUrl)) as unknown as Db | undefined
  try {
    const tables = (await db?.introspection.getTables()) ?? []
    if (!db || !tables.some(({ name }) => name === 'webhook_receivers')) return []
    const rows = await db.selectFrom('webhook_receivers').select(['name', 'status']).orderBy('name').execute()
    return rows.flatMap(({ name, status }) => (status === 'on' ? [] : [{ name, status }]))
  } finally {
    await db?.destroy()
  }
}

/** Returns undefined if the file does not exist yet. Throws if the server could not create the file. */
async function openDatabase(databaseUrl: string): Promise<Kysely<Tables> | undefined> {
  if (!databaseUrl.startsWith(SQLITE)) {
    const { createPool } = await import('../store/postgres/pool.ts')
    return new Kysely({ dialect: new PostgresDialect({ pool: createPool(databaseUrl) }) })
  }
  const file = databaseUrl.slice(SQLITE.length)
  if (file === ':memory:') return undefined
  if (!existsSync(file)) {
    // The dot makes the call fail if the nearest existing path is not a folder.
    accessSync(`${nearestPath(file)}/.`, constants.W_OK)
    return undefined
  }
  const database = new DatabaseSync(file)
  // A backup locks the database for a moment. The doctor then waits, as the server does.
  database.exec('PRAGMA busy_timeout = 1000')
  return new Kysely({ dialect: nodeSqliteDialect(database) })
}

/** `begin` starts a transaction that writes. It fails if the database is locked, read-only, a standby, or not a database file. */
async function inspectDatabase(db: Kysely<Tables>, begin: string): Promise<string[] | undefined> {
  try {
    await db.connection().execute(async (connection) => {
      await sql.raw(begin).execute(connection)
      await sql`rollback`.execute(connection)
    })
    return await appliedMigrations(db)
  } finally {
    await db.destroy()
  }
}

/** Reads the migrations of this version from a new database in memory. The names are the same in SQLite and PostgreSQL. */
async function knownMigrations(): Promise<string[]> {
  const db = new Kysely<Tables>({ dialect: nodeSqliteDialect(new DatabaseSync(':memory:')) })
  try {
    await migrateToLatest(db, 'sqlite')
    return (await appliedMigrations(db)) ?? []
  } finally {
    await db.destroy()
  }
}

/** Returns undefined for a database that no server has used yet. */
async function appliedMigrations(db: Kysely<Tables>): Promise<string[] | undefined> {
  const tables = await db.introspection.getTables({ withInternalKyselyTables: true })
  if (!tables.some(({ name }) => name === DEFAULT_MIGRATION_TABLE)) return undefined
  const rows = await db.selectFrom(DEFAULT_MIGRATION_TABLE).select('name').execute()
  return rows.map(({ name }) => name)
}

/** Returns the nearest existing ancestor of the file. */
function nearestPath(file: string): string {
  const folder = dirname(resolve(file))
  return existsSync(folder) ? folder : nearestPath(folder)
}
