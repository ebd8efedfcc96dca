/** Migrated tables in a SQLite database in memory, for a test of SQL without a store. */
import { DatabaseSync } from 'node:sqlite'
import { Kysely } from 'kysely'
import { onTestFinished } from 'vitest'
import { migrateToLatest } from '../../server/store/sql/migrations.ts'
import type { Tables } from '../../server/store/sql/tables.ts'
import { nodeSqliteDialect } from '../../server/store/sqlite/dialect.ts'

export async function openMemoryTables() {
  const database = new DatabaseSync(':memory:')
  onTestFinished(() => database.close())
  const db = new Kysely<Tables>({ dialect: nodeSqliteDialect(database, (statement) => statement()) })
  await migrateToLatest(db, 'sqlite')
  return { database, db }
}
