/** Fills databases with many bindings by SQL: the store itself would take an hour. */
import { DatabaseSync } from 'node:sqlite'
import { query } from '../../support/postgres.ts'

/** Users with a binding and one event each, and a third of them with a unionid. The openids are in random order, as in reality. */
const SQLITE = (count: number) => `
  pragma synchronous = off; pragma journal_mode = memory; pragma cache_size = -200000;
  begin;
  with recursive i(n) as (select 1 union all select n + 1 from i where n < ${count})
    insert into users (id, tenant, account, user_id, version) select n, 'default', 'acme', 'old' || n, 1 from i;
  insert into bindings ("user", tenant, account, app_id, openid, unionid, subscribed, bound_at, event_time, label, lang, version)
    select id, tenant, account, 'wx1', printf('oBench%022d', (id * 2654435761) % 4294967296), case when id % 3 = 0 then 'uBench' || id end, 1, 1700000000000 + id, 1700000000, 'ab***@example.com', 'zh-CN', 1 from users;
  insert into events ("user", tenant, version, type, reason, at) select id, tenant, 1, 'bound', 'scan', 1700000000000 + id from users;
  commit;
  pragma journal_mode = wal;`

const POSTGRES = (count: number) => [
  `insert into users (id, tenant, account, user_id, version) overriding system value select n, 'default', 'acme', 'old' || n, 1 from generate_series(1, ${count}::bigint) n`,
  `select setval(pg_get_serial_sequence('users', 'id'), ${count})`,
  `insert into bindings ("user", tenant, account, app_id, openid, unionid, subscribed, bound_at, event_time, label, lang, version)
     select n, 'default', 'acme', 'wx1', 'oBench' || lpad(((n * 2654435761) % 4294967296)::text, 22, '0'), case when n % 3 = 0 then 'uBench' || n end, 1, 1700000000000 + n, 1700000000, 'ab***@example.com', 'zh-CN', 1 from generate_series(1, ${count}::bigint) n`,
  `insert into events ("user", tenant, version, type, reason, at) select n, 'default', 1, 'bound', 'scan', 1700000000000 + n from generate_series(1, ${count}::bigint) n`,
  'vacuum analyze',
]

/** Requires existing, empty tables. */
export function fillSqlite(file: string, count: number): void {
  const database = new DatabaseSync(file)
  database.exec(SQLITE(count))
  database.close()
}

export async function fillPostgres(url: string, count: number): Promise<void> {
  for (const text of POSTGRES(count)) await query(url, text)
}
