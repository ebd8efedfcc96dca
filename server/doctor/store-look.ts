/** Looks at the store without changing it: a doctor of a new version must not upgrade the tables that the old one serves from. NODE. */
import { accessSync, constants, existsSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { Kysely, PostgresDialect, sql } from 'kysely'
import { DEFAULT_MIGRATION_TABLE } from 'kysely/migration'
import { migrateToLatest } from '../store/sql/migrations.ts'
import { nodeSqliteDialect } from '../store/sqlite/dialect.ts'
import type { StoreLook } from './store.ts'

type Tables = { [DEFAULT_MIGRATION_TABLE]: { name: string } }

const SQLITE = 'sqlite:'

export async function lookAtStore(databaseUrl: string): Promise<StoreLook> {
  const known = await knownMigrations()
  const applied = databaseUrl.startsWith(SQLITE)
    ? await lookAtFile(databaseUrl.slice(SQLITE.length))
    : await lookAtPostgres(databaseUrl)
  return { applied, known }
}

async function lookAtFile(file: string): Promise<string[] | undefined> {
  if (file === ':memory:') return undefined
  if (!existsSync(file)) {
    // The dot refuses what is there but is no folder.
    accessSync(`${nearestFolder(file)}/.`, constants.W_OK)
    return undefined
  }
  const database = new DatabaseSync(file)
  // A backup may hold the lock for a moment, as the server grants it too.
  database.exec('PRAGMA busy_timeout = 1000')
  return lookInside(new Kysely({ dialect: nodeSqliteDialect(database) }), 'begin immediate')
}

async function lookAtPostgres(url: string): Promise<string[] | undefined> {
  const { createPool } = await import('../store/postgres/pool.ts')
  return lookInside(new Kysely({ dialect: new PostgresDialect({ pool: createPool(url) }) }), 'begin read write')
}

/** `begin`: what a database refuses that cannot be written to: one that is locked, read-only, a standby or no database at all. */
async function lookInside(db: Kysely<Tables>, begin: string): Promise<string[] | undefined> {
  try {
    await db.connection().execute(async (connection) => {
      await sql.raw(begin).execute(connection)
      await sql`rollback`.execute(connection)
    })
    return await migrationsIn(db)
  } finally {
    await db.destroy()
  }
}

/** Those that a fresh database gets; they bear the same names on every engine. */
async function knownMigrations(): Promise<string[]> {
  const db = new Kysely<Tables>({ dialect: nodeSqliteDialect(new DatabaseSync(':memory:')) })
  try {
    await migrateToLatest(db, 'sqlite')
    return (await migrationsIn(db)) ?? []
  } finally {
    await db.destroy()
  }
}

/** Undefined for a database that no server has used yet. */
async function migrationsIn(db: Kysely<Tables>): Promise<string[] | undefined> {
  const tables = await db.introspection.getTables({ withInternalKyselyTables: true })
  if (!tables.some(({ name }) => name === DEFAULT_MIGRATION_TABLE)) return undefined
  const rows = await db.selectFrom(DEFAULT_MIGRATION_TABLE).select('name').execute()
  return rows.map(({ name }) => name)
}

function nearestFolder(file: string): string {
  const folder = dirname(resolve(file))
  return existsSync(folder) ? folder : nearestFolder(folder)
}
