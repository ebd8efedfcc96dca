/**
 * Adds what the console needs: sessions, the log of actions, hourly figures, the state of the instances, and an index by which users
 * are searched. Released, so its SQL must not change.
 */
import { sql } from 'kysely'
import type { AnyDb, Engine } from '../engine.ts'

const steps = ['shown', 'scanned', 'confirmed', 'bound', 'unbound']

/** Upper limits in seconds of the time from the QR code to the binding. The last column has no limit. */
const buckets = ['2', '5', '10', '15', '20', '30', '45', '60', '90', '120', '180', '300', '600', 'more']

export async function up(db: AnyDb, engine: Engine): Promise<void> {
  const id = engine === 'sqlite' ? sql`id integer primary key` : sql`id bigint primary key generated always as identity`
  // SQLite stores such a table as one B-tree in the order of the key, instead of a table and an index.
  const withoutRowid = engine === 'sqlite' ? sql`without rowid` : sql``
  const counts = [...steps, ...buckets.map((name) => `within_${name}`)].map(
    (name) => sql`${sql.ref(name)} bigint not null default 0`,
  )

  await sql`create table console_sessions (hash text primary key not null, name text not null, token_hash text not null, until bigint not null) ${withoutRowid}`.execute(
    db,
  )
  await sql`create index console_sessions_until on console_sessions (until)`.execute(db)

  await sql`create table console_actions (${id}, at bigint not null, operator text not null, action text not null, "user" bigint, version bigint, subject text)`.execute(
    db,
  )
  await sql`create index console_actions_user on console_actions ("user", id) where "user" is not null`.execute(db)

  await sql`create table figures (${id}, hour bigint not null, tenant text not null, ${sql.join(counts)}, unique (hour, tenant))`.execute(
    db,
  )
  await sql`create table wechat_errors (${id}, hour bigint not null, errcode bigint not null, count bigint not null, last_at bigint not null, unique (hour, errcode))`.execute(
    db,
  )
  await sql`create table instances (name text primary key not null, at bigint not null, waiting bigint not null, waiting_limit bigint not null, callback_at bigint, token_at bigint, token_until bigint) ${withoutRowid}`.execute(
    db,
  )
  await sql`create table console_reports (name text primary key not null, at bigint not null, operator text not null, text text not null) ${withoutRowid}`.execute(
    db,
  )

  // Compared byte by byte, so that the index serves a search by the beginning of a User_ID, whatever the collation of the database.
  const bytewise = engine === 'postgres' ? sql`user_id collate "C"` : sql`user_id`
  await sql`create index users_user_id on users (${bytewise}, id)`.execute(db)
}
