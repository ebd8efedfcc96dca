/** Adds the web authorizations of users who bind inside WeChat. Released, so its SQL must not change. */
import { sql } from 'kysely'
import type { AnyDb, Engine } from '../engine.ts'

export async function up(db: AnyDb, engine: Engine): Promise<void> {
  const created = db.schema.createTable('authorizations')
  const numbered =
    engine === 'sqlite'
      ? created.addColumn('id', 'integer', (column) => column.primaryKey())
      : created.addColumn('id', 'bigint', (column) => column.primaryKey().generatedAlwaysAsIdentity())
  await numbered
    .addColumn('user', 'bigint', (column) => column.notNull())
    .addColumn('app_id', 'text', (column) => column.notNull())
    .addColumn('state', 'text', (column) => column.notNull())
    .addColumn('state_hash', 'text', (column) => column.notNull().unique())
    .addColumn('return_url', 'text', (column) => column.notNull())
    .addColumn('created_at', 'bigint', (column) => column.notNull())
    .addColumn('until', 'bigint', (column) => column.notNull())
    .addColumn('proof_hash', 'text')
    .addColumn('openid', 'text')
    .execute()
  await sql`create unique index authorizations_proof on authorizations (proof_hash) where proof_hash is not null`.execute(
    db,
  )
  await sql`create index authorizations_openid on authorizations (openid) where openid is not null`.execute(db)
  await db.schema.createIndex('authorizations_user').on('authorizations').column('user').execute()
  await db.schema.createIndex('authorizations_until').on('authorizations').column('until').execute()
}
