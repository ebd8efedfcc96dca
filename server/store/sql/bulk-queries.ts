/** The queries that read, add and bind many users with one statement each. The rows are one parameter, a JSON array. */
import { type Kysely, sql } from 'kysely'
import type { Identity } from '../store.ts'
import { compilable, query } from './compiled-query.ts'
import { type JsonColumns, jsonRows, jsonTexts } from './dialects.ts'
import type { Engine } from './engine.ts'
import type { NewEvent } from './event-queries.ts'
import type { Tables } from './tables.ts'
import { selectUsers } from './user-queries.ts'

type Rows = { rows: string }

/** A user with the version that it has now. */
export type BumpedRow = { id: number; tenant: string; account: string; user_id: string; version: number }

type BindingRow = Tables['bindings']
type OutboxRow = Pick<Tables['outbox'], 'event' | 'user' | 'tenant' | 'next_at'>

const identityColumns: JsonColumns = { tenant: 'text', account: 'text', user_id: 'text' }

const bindingColumns: JsonColumns<keyof BindingRow> = {
  user: 'bigint',
  tenant: 'text',
  account: 'text',
  app_id: 'text',
  openid: 'text',
  unionid: 'text',
  unionid_due: 'bigint',
  subscribed: 'bigint',
  bound_at: 'bigint',
  event_time: 'bigint',
  label: 'text',
  lang: 'text',
  version: 'bigint',
}

const eventColumns: JsonColumns<keyof NewEvent> = {
  user: 'bigint',
  version: 'bigint',
  type: 'text',
  reason: 'text',
  at: 'bigint',
  uid: 'text',
  tenant: 'text',
}

const outboxColumns: JsonColumns<keyof OutboxRow> = {
  event: 'bigint',
  user: 'bigint',
  tenant: 'text',
  next_at: 'bigint',
}

export const toIdentityRows = (identities: Identity[]) =>
  JSON.stringify(identities.map(({ tenant, account, userId }) => ({ tenant, account, user_id: userId })))

export function createBulkQueries(db: Kysely<Tables>, engine: Engine) {
  const names = (columns: JsonColumns) => sql.join(Object.keys(columns).map((name) => sql.ref(name)))
  /** SQLite reads `on conflict` after a select only if the select has a `where`. */
  const insert = (table: string, columns: JsonColumns, { rows }: Rows) =>
    sql`insert into ${sql.table(table)} (${names(columns)}) select ${names(columns)} from (${jsonRows(engine, rows, columns)}) as given where true`
  return {
    usersByIdentities: query((p: Rows) =>
      selectUsers(db).where(
        sql<boolean>`(users.tenant, users.account, users.user_id) in (${jsonRows(engine, p.rows, identityColumns)})`,
      ),
    ),
    ownersOfAll: query((p: { appId: string; openids: string }) =>
      selectUsers(db)
        .where('bindings.app_id', '=', p.appId)
        .where(sql<boolean>`bindings.openid in (${jsonTexts(engine, p.openids)})`),
    ),
    /** Adds the users that the store does not know with the given version, and adds 1 to the version of the others. */
    bumpUsers: query((p: Rows) =>
      compilable(
        db,
        sql<BumpedRow>`${insert('users', { ...identityColumns, version: 'bigint' }, p)}
          on conflict (tenant, account, user_id) do update set version = users.version + 1, reason = null, erased = 0
          returning id, tenant, account, user_id, version`,
      ),
    ),
    /** The stored versions of erased users with these hashes. */
    floorsOf: query((p: { hashes: string }) =>
      db
        .selectFrom('users')
        .select(['user_id', 'version'])
        .where('tenant', '=', '')
        .where('account', '=', '')
        .where(sql<boolean>`user_id in (${jsonTexts(engine, p.hashes)})`),
    ),
    addBindings: query((p: Rows) => compilable(db, insert('bindings', bindingColumns, p))),
    addEvents: query((p: Rows) =>
      compilable(
        db,
        sql<{ id: number; user: number }>`${insert('events', eventColumns, p)} returning id, ${sql.ref('user')}`,
      ),
    ),
    addAllToOutbox: query((p: Rows) =>
      compilable(
        db,
        sql`insert into outbox (event, "user", tenant, state, next_at) select event, "user", tenant, 'waiting', next_at
          from (${jsonRows(engine, p.rows, outboxColumns)}) as given`,
      ),
    ),
  }
}
