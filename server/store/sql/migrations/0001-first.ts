/** The first tables. Released, so its SQL must not change. */
import { type ColumnDefinitionBuilder, sql } from 'kysely'
import type { AnyDb, Engine } from '../engine.ts'

const required = (column: ColumnDefinitionBuilder) => column.notNull()

/** SQLite generates the values of an INTEGER PRIMARY KEY by itself; PostgreSQL needs an identity column. */
function numbered(db: AnyDb, table: string, engine: Engine) {
  const created = db.schema.createTable(table)
  return engine === 'sqlite'
    ? created.addColumn('id', 'integer', (column) => column.primaryKey())
    : created.addColumn('id', 'bigint', (column) => column.primaryKey().generatedAlwaysAsIdentity())
}

/** A primary key that is another table's key. In SQLite an INTEGER PRIMARY KEY is the rowid and needs no index. */
const foreignKey = (engine: Engine) => (engine === 'sqlite' ? 'integer' : 'bigint')

/** A table whose rows expire at `until`. SQLite stores it as one B-tree in the order of the key, instead of a table and an index. */
function remembered(db: AnyDb, table: string, key: string, engine: Engine) {
  const created = db.schema
    .createTable(table)
    .addColumn(key, 'text', (column) => column.primaryKey())
    .addColumn('until', 'bigint', required)
  return engine === 'sqlite' ? created.modifyEnd(sql`without rowid`) : created
}

async function createUsers(db: AnyDb, engine: Engine) {
  await numbered(db, 'users', engine)
    .addColumn('tenant', 'text', required)
    .addColumn('account', 'text', required)
    .addColumn('user_id', 'text', required)
    .addColumn('version', 'bigint', (column) => column.notNull().defaultTo(0))
    .addColumn('reason', 'text')
    .addUniqueConstraint('users_identity', ['tenant', 'account', 'user_id'])
    .execute()
}

async function createBindings(db: AnyDb, engine: Engine) {
  await db.schema
    .createTable('bindings')
    .addColumn('user', foreignKey(engine), (column) => column.primaryKey())
    .addColumn('tenant', 'text', required)
    .addColumn('app_id', 'text', required)
    .addColumn('openid', 'text', required)
    .addColumn('unionid', 'text')
    .addColumn('unionid_due', 'bigint')
    .addColumn('subscribed', 'integer', required)
    .addColumn('bound_at', 'bigint', required)
    .addColumn('event_time', 'bigint', required)
    .addColumn('label', 'text')
    .addColumn('lang', 'text', required)
    .addColumn('version', 'bigint', required)
    .execute()
  // The index is small: it contains only the newest bindings, whose unionid has not been requested yet.
  await sql`create index bindings_unionid on bindings (unionid_due) where unionid_due is not null`.execute(db)
  await db.schema.createIndex('bindings_openid').on('bindings').columns(['openid', 'app_id']).execute()
}

async function createTickets(db: AnyDb, engine: Engine) {
  await numbered(db, 'tickets', engine)
    .addColumn('user', 'bigint', required)
    .addColumn('app_id', 'text', required)
    .addColumn('scene', 'text', (column) => column.notNull().unique())
    .addColumn('code', 'text', (column) => column.notNull().unique())
    .addColumn('wechat_ticket', 'text', required)
    .addColumn('url', 'text', required)
    .addColumn('label', 'text')
    .addColumn('lang', 'text', required)
    .addColumn('created_at', 'bigint', required)
    .addColumn('expires_at', 'bigint', required)
    .addColumn('state', 'text', required)
    .addColumn('used_by', 'text')
    .addColumn('confirm', 'text')
    .addColumn('openid', 'text')
    .addColumn('event_time', 'bigint')
    .addColumn('held_until', 'bigint')
    .addColumn('digits', 'text')
    .addColumn('tries_left', 'integer')
    .addColumn('reason', 'text')
    .execute()
  await db.schema.createIndex('tickets_user').on('tickets').columns(['user', 'created_at']).execute()
  await db.schema.createIndex('tickets_expires').on('tickets').column('expires_at').execute()
  // The index is small: only a held ticket (one that waits for its confirmation) has an openid, and few tickets wait at a time.
  await sql`create index tickets_held on tickets ("user") where state = 'held'`.execute(db)
  await sql`create index tickets_openid on tickets (openid) where openid is not null`.execute(db)
}

async function createEvents(db: AnyDb, engine: Engine) {
  await numbered(db, 'events', engine)
    .addColumn('user', 'bigint', required)
    .addColumn('version', 'bigint', required)
    .addColumn('type', 'text', required)
    .addColumn('reason', 'text', required)
    .addColumn('at', 'bigint', required)
    .execute()
}

async function createOutbox(db: AnyDb, engine: Engine) {
  await db.schema
    .createTable('outbox')
    .addColumn('event', foreignKey(engine), (column) => column.primaryKey())
    .addColumn('user', 'bigint', required)
    .addColumn('tenant', 'text', required)
    .addColumn('state', 'text', required)
    .addColumn('next_at', 'bigint', required)
    .addColumn('attempts', 'integer', (column) => column.notNull().defaultTo(0))
    .execute()
  await db.schema.createIndex('outbox_next').on('outbox').columns(['state', 'next_at', 'event']).execute()
  await db.schema.createIndex('outbox_user').on('outbox').columns(['user', 'event']).execute()
  await remembered(db, 'leases', 'name', engine).addColumn('holder', 'text', required).execute()
}

async function createMemories(db: AnyDb, engine: Engine) {
  await remembered(db, 'memories', 'key', engine).addColumn('text', 'text').execute()
  await remembered(db, 'erased', 'openid_hash', engine).addColumn('event_time', 'bigint', required).execute()
  // The table has three B-trees. With an integer key only the index on `jti` is written in random order.
  await numbered(db, 'jtis', engine)
    .addColumn('jti', 'text', (column) => column.notNull().unique())
    .addColumn('until', 'bigint', required)
    .execute()
  for (const table of ['memories', 'erased', 'jtis']) {
    await db.schema.createIndex(`${table}_until`).on(table).column('until').execute()
  }
  await numbered(db, 'wrong_codes', engine)
    .addColumn('openid_hash', 'text', required)
    .addColumn('at', 'bigint', required)
    .execute()
  await db.schema.createIndex('wrong_codes_openid').on('wrong_codes').columns(['openid_hash', 'at']).execute()
}

export async function up(db: AnyDb, engine: Engine): Promise<void> {
  await createUsers(db, engine)
  await createBindings(db, engine)
  await createTickets(db, engine)
  await createEvents(db, engine)
  await createOutbox(db, engine)
  await createMemories(db, engine)
}
