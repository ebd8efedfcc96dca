/** Fills databases with many bindings by SQL statements, because the store itself would need an hour. */
import { DatabaseSync } from 'node:sqlite'
import { query } from '../../support/postgres.ts'

/**
 * The events of each user: one event `bound`, or three events (bound, unbound, bound). In the second case, a third of
 * the users also have an event for the unionid.
 */
const EVENTS = (hasMany: boolean, firstAt: number) => `
  insert into events ("user", tenant, version, type, reason, at)
    select id, tenant, n, case n when 2 then 'unbound' when 4 then 'updated' else 'bound' end, case n when 2 then 'disconnect' when 4 then 'unionid' else 'scan' end, ${firstAt} + id
    from (select 1 as n union all select 2 union all select 3 union all select 4) each_event cross join users
    where ${hasMany ? 'n < 4 or id % 3 = 0' : 'n = 1'}`

/**
 * Inserts users with one binding each. A third of them have a unionid. The openids are in random order, as in reality.
 */
const SQLITE = (count: number, hasManyEvents: boolean, firstAt: number) => `
  pragma synchronous = off; pragma journal_mode = memory; pragma cache_size = -200000;
  begin;
  with recursive i(n) as (select 1 union all select n + 1 from i where n < ${count})
    insert into users (id, tenant, account, user_id, version) select n, 'default', 'acme', 'old' || n, ${hasManyEvents ? 4 : 1} from i;
  insert into bindings ("user", tenant, account, app_id, openid, unionid, subscribed, bound_at, event_time, label, lang, version)
    select id, tenant, account, 'wx1', printf('oBench%022d', (id * 2654435761) % 4294967296), case when id % 3 = 0 then 'uBench' || id end, 1, 1700000000000 + id, 1700000000, 'ab***@example.com', 'zh-CN', ${hasManyEvents ? 4 : 1} from users;
  ${EVENTS(hasManyEvents, firstAt)};
  commit;
  pragma journal_mode = wal;`

const POSTGRES = (count: number, hasManyEvents: boolean, firstAt: number) => [
  `insert into users (id, tenant, account, user_id, version) overriding system value select n, 'default', 'acme', 'old' || n, ${hasManyEvents ? 4 : 1} from generate_series(1, ${count}::bigint) n`,
  `select setval(pg_get_serial_sequence('users', 'id'), ${count})`,
  `insert into bindings ("user", tenant, account, app_id, openid, unionid, subscribed, bound_at, event_time, label, lang, version)
     select n, 'default', 'acme', 'wx1', 'oBench' || lpad(((n * 2654435761) % 4294967296)::text, 22, '0'), case when n % 3 = 0 then 'uBench' || n end, 1, 1700000000000 + n, 1700000000, 'ab***@example.com', 'zh-CN', ${hasManyEvents ? 4 : 1} from generate_series(1, ${count}::bigint) n`,
  EVENTS(hasManyEvents, firstAt),
  'vacuum analyze',
]

// When the first user was bound. Events of this time have expired, so the sweep of a server deletes them.
const BOUND_AT = 1_700_000_000_000

/** The tables must exist, and have no users. `eventsAt`: when the first event happened. */
export function fillSqlite(file: string, count: number, hasManyEvents = false, eventsAt = BOUND_AT): void {
  const database = new DatabaseSync(file)
  database.exec(SQLITE(count, hasManyEvents, eventsAt))
  database.close()
}

export async function fillPostgres(
  url: string,
  count: number,
  hasManyEvents = false,
  eventsAt = BOUND_AT,
): Promise<void> {
  for (const text of POSTGRES(count, hasManyEvents, eventsAt)) await query(url, text)
}

/** A user `u0`, `u1` … with a valid ticket for each scan of `requests.ts`. Requires empty tables. */
export async function fillTickets(url: string, appId: string, count: number): Promise<void> {
  const now = Date.now()
  await query(
    url,
    `insert into users (id, tenant, account, user_id, version) overriding system value
       select n + 1, 'default', 'acme', 'u' || n, 0 from generate_series(0, ${count - 1}) n`,
  )
  await query(url, `select setval(pg_get_serial_sequence('users', 'id'), ${count})`)
  await query(
    url,
    `insert into tickets ("user", app_id, scene, code, wechat_ticket, url, lang, created_at, expires_at, state)
       select n + 1, $1, 'wb1_' || lpad(n::text, 22, '0'), lpad(n::text, 8, '0'), 'ticket', 'http://weixin.qq.com/q/' || n, 'en', ${now}, ${now + 3 * 3_600_000}, 'pending'
       from generate_series(0, ${count - 1}) n`,
    [appId],
  )
  await query(url, 'vacuum analyze')
}
