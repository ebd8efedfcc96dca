/** Renames two tables, a column and a state to the names used in the code. Released, so its SQL must not change. */
import { sql } from 'kysely'
import type { AnyDb, Engine } from '../engine.ts'

export async function up(db: AnyDb, engine: Engine): Promise<void> {
  await rename(db, engine, 'memories', 'deliveries')
  await rename(db, engine, 'erased', 'unfollow_tombstones')
  await db.schema.alterTable('tickets').renameColumn('held_until', 'confirm_until').execute()
  // The partial index depends on the old state's name.
  await db.schema.dropIndex('tickets_held').execute()
  await sql`update tickets set state = 'scanned' where state = 'held'`.execute(db)
  await sql`create index tickets_scanned on tickets ("user") where state = 'scanned'`.execute(db)
}

/** Renames the table, its primary key's constraint and its index on `until`. Both tables contain only rows of a few minutes. */
async function rename(db: AnyDb, engine: Engine, from: string, to: string): Promise<void> {
  await db.schema.alterTable(from).renameTo(to).execute()
  if (engine === 'postgres') {
    await sql`alter table ${sql.table(to)} rename constraint ${sql.ref(`${from}_pkey`)} to ${sql.ref(`${to}_pkey`)}`.execute(
      db,
    )
  }
  await db.schema.dropIndex(`${from}_until`).execute()
  await db.schema.createIndex(`${to}_until`).on(to).column('until').execute()
}
