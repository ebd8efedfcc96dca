/** Adds the windows in which attempts are counted. Released, so its SQL must not change. */
import { sql } from 'kysely'
import type { AnyDb, Engine } from '../engine.ts'

export async function up(db: AnyDb, engine: Engine): Promise<void> {
  const created = db.schema
    .createTable('rate_windows')
    .addColumn('scope', 'text', (column) => column.primaryKey())
    .addColumn('until', 'bigint', (column) => column.notNull())
    .addColumn('count', 'integer', (column) => column.notNull())
  // SQLite stores the table as one B-tree in the order of the key, instead of a table and an index.
  await (engine === 'sqlite' ? created.modifyEnd(sql`without rowid`) : created).execute()
  await db.schema.createIndex('rate_windows_until').on('rate_windows').column('until').execute()
}
