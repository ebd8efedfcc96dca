/** Adds the last refused scan of each user. Released, so its SQL must not change. */
import type { AnyDb } from '../engine.ts'

export async function up(db: AnyDb): Promise<void> {
  await db.schema.alterTable('users').addColumn('notice', 'text').execute()
  await db.schema.alterTable('users').addColumn('notice_version', 'bigint').execute()
  await db.schema.alterTable('users').addColumn('notice_at', 'bigint').execute()
}
