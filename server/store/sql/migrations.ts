/** All migrations by name, in order. Released migrations never change: a test compares the SQL of each one with a hash. */
import { sql } from 'kysely'
import { type Migration, Migrator } from 'kysely/migration'
import type { AnyDb, Engine } from './engine.ts'
import * as first from './migrations/0001-first.ts'
import * as standardNames from './migrations/0002-standard-names.ts'
import * as limits from './migrations/0003-limits.ts'
import * as eventIds from './migrations/0004-event-ids.ts'
import * as webhookQueues from './migrations/0005-webhook-queues.ts'
import * as notices from './migrations/0006-notices.ts'
import * as bindingsAsData from './migrations/0007-bindings-as-data.ts'
import * as authorizations from './migrations/0008-authorizations.ts'
import * as consoleTables from './migrations/0009-console.ts'

const steps = {
  '0001-first': first,
  '0002-standard-names': standardNames,
  '0003-limits': limits,
  '0004-event-ids': eventIds,
  '0005-webhook-queues': webhookQueues,
  '0006-notices': notices,
  '0007-bindings-as-data': bindingsAsData,
  '0008-authorizations': authorizations,
  '0009-console': consoleTables,
}

export const migrations = (engine: Engine): Record<string, Migration> =>
  Object.fromEntries(Object.entries(steps).map(([name, { up }]) => [name, { up: (db) => up(db, engine) }]))

/** Runs all pending migrations or none. A second process that starts at the same time waits. */
export async function migrateToLatest(db: AnyDb, engine: Engine): Promise<void> {
  const migrator = new Migrator({ db, provider: { getMigrations: async () => migrations(engine) } })
  // On SQLite, Kysely runs migrations without a lock and without a transaction. The database has one connection, so the
  // transaction that is opened here contains them.
  const ownsTransaction = engine === 'sqlite'
  if (ownsTransaction) await sql`begin immediate`.execute(db)
  const { error } = await migrator.migrateToLatest()
  // After some errors (a full disk) SQLite has already rolled back, and this rollback fails.
  if (ownsTransaction && error) await sql`rollback`.execute(db).catch(() => {})
  if (error) throw error
  if (ownsTransaction) await sql`commit`.execute(db)
}
