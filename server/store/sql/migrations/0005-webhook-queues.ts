/** Adds a queue of notices for each webhook receiver, and the state of the receivers. Released, so its SQL must not change. */
import type { AnyDb, Engine } from '../engine.ts'

/** The rows of `outbox` are not changed. The sender moves the events to the queues later. */
export async function up(db: AnyDb, engine: Engine): Promise<void> {
  const created = db.schema.createTable('notices')
  const numbered =
    engine === 'sqlite'
      ? created.addColumn('id', 'integer', (column) => column.primaryKey())
      : created.addColumn('id', 'bigint', (column) => column.primaryKey().generatedAlwaysAsIdentity())
  await numbered
    .addColumn('event', 'bigint', (column) => column.notNull())
    .addColumn('user', 'bigint', (column) => column.notNull())
    .addColumn('receiver', 'text', (column) => column.notNull())
    .addColumn('state', 'text', (column) => column.notNull())
    .addColumn('next_at', 'bigint', (column) => column.notNull())
    .addColumn('attempts', 'integer', (column) => column.notNull().defaultTo(0))
    .addColumn('status', 'integer')
    .addColumn('error', 'text')
    .execute()
  const index = (name: string) => db.schema.createIndex(name).on('notices')
  await index('notices_next').columns(['receiver', 'state', 'next_at', 'id']).execute()
  await index('notices_user').columns(['receiver', 'user', 'event']).execute()
  await index('notices_event').columns(['event', 'receiver']).unique().execute()
  await db.schema
    .createTable('webhook_receivers')
    .addColumn('name', 'text', (column) => column.primaryKey())
    .addColumn('status', 'text', (column) => column.notNull())
    .addColumn('failing_since', 'bigint')
    .addColumn('failures', 'integer', (column) => column.notNull())
    .addColumn('paused_until', 'bigint')
    .addColumn('last_status', 'integer')
    .addColumn('last_error', 'text')
    .addColumn('last_at', 'bigint', (column) => column.notNull())
    .execute()
}
