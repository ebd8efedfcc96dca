/** Fills databases with many bindings by SQL statements, because the store itself would need an hour. */
import { DatabaseSync } from 'node:sqlite'
import { query } from '../../support/postgres.ts'
import { insertRows, isSqlite, runStatements } from './statements.ts'

type Fill = {
  /** Ten events for three users. */
  hasManyEvents: boolean
  /** When the first event happened. */
  eventsAt: number
  /** Whether a reader of the feed has read all events. Otherwise `GetEvents` of a user writes positions at its first call. */
  isPublished: boolean
}

// When the first user was bound. Events of this time have expired, so the sweep of a server deletes them.
const BOUND_AT = 1_700_000_000_000

const defaults: Fill = { hasManyEvents: false, eventsAt: BOUND_AT, isPublished: false }

const versionOf = ({ hasManyEvents }: Fill) => (hasManyEvents ? 4 : 1)

/** The end of the feed, after the last position of `EVENTS`. */
const HEAD = (count: number, { isPublished }: Fill) =>
  `insert into feed_heads (tenant, position, lost) select 'default', ${count * 4 + 4}, 0 where ${isPublished ? '1 = 1' : '1 = 0'}`

/**
 * The events of each user: one event `bound`, or three events (bound, unbound, bound). In the second case, a third of
 * the users also have an event for the unionid.
 */
const EVENTS = ({ hasManyEvents: hasMany, eventsAt: firstAt, isPublished }: Fill) => `
  insert into events ("user", tenant, version, type, reason, at, position)
    select id, tenant, n, case n when 2 then 'unbound' when 4 then 'updated' else 'bound' end, case n when 2 then 'disconnect' when 4 then 'unionid' else 'scan' end, ${firstAt} + id, ${isPublished ? 'id * 4 + n' : 'cast(null as bigint)'}
    from (select 1 as n union all select 2 union all select 3 union all select 4) each_event cross join users
    where ${hasMany ? 'n < 4 or id % 3 = 0' : 'n = 1'}`

/**
 * Inserts users with one binding each. A third of them have a unionid. The openids are in random order, as in reality.
 */
const SQLITE = (count: number, fill: Fill) => `
  pragma synchronous = off; pragma journal_mode = memory; pragma cache_size = -200000;
  begin;
  with recursive i(n) as (select 1 union all select n + 1 from i where n < ${count})
    insert into users (id, tenant, account, user_id, version) select n, 'default', 'acme', 'old' || n, ${versionOf(fill)} from i;
  insert into bindings ("user", tenant, account, app_id, openid, unionid, subscribed, bound_at, event_time, label, lang, version)
    select id, tenant, account, 'wx1', printf('oBench%022d', (id * 2654435761) % 4294967296), case when id % 3 = 0 then 'uBench' || id end, 1, 1700000000000 + id, 1700000000, 'ab***@example.com', 'zh-CN', ${versionOf(fill)} from users;
  ${EVENTS(fill)};
  ${HEAD(count, fill)};
  commit;
  pragma journal_mode = wal;`

const POSTGRES = (count: number, fill: Fill) => [
  `insert into users (id, tenant, account, user_id, version) overriding system value select n, 'default', 'acme', 'old' || n, ${versionOf(fill)} from generate_series(1, ${count}::bigint) n`,
  `select setval(pg_get_serial_sequence('users', 'id'), ${count})`,
  `insert into bindings ("user", tenant, account, app_id, openid, unionid, subscribed, bound_at, event_time, label, lang, version)
     select n, 'default', 'acme', 'wx1', 'oBench' || lpad(((n * 2654435761) % 4294967296)::text, 22, '0'), case when n % 3 = 0 then 'uBench' || n end, 1, 1700000000000 + n, 1700000000, 'ab***@example.com', 'zh-CN', ${versionOf(fill)} from generate_series(1, ${count}::bigint) n`,
  EVENTS(fill),
  HEAD(count, fill),
  'vacuum analyze',
]

/** The tables must exist, and have no users. */
export function fillSqlite(file: string, count: number, fill: Partial<Fill> = {}): void {
  const database = new DatabaseSync(file)
  database.exec(SQLITE(count, { ...defaults, ...fill }))
  database.close()
}

export async function fillPostgres(url: string, count: number, fill: Partial<Fill> = {}): Promise<void> {
  for (const text of POSTGRES(count, { ...defaults, ...fill })) await query(url, text)
}

/** Adds a user `<prefix>0`, `<prefix>1` … with a valid ticket for each scan of `requests.ts`. */
export async function fillTickets(url: string, appId: string, count: number, prefix = 'u'): Promise<void> {
  const now = Date.now()
  const padded = (width: number) =>
    isSqlite(url) ? `printf('%0${width}d', n - 1)` : `lpad((n - 1)::text, ${width}, '0')`
  const user = `(select id from users where tenant = 'default' and account = 'acme' and user_id = '${prefix}' || (n - 1))`
  await runStatements(url, [
    insertRows(count, 'users (tenant, account, user_id, version)', `'default', 'acme', '${prefix}' || (n - 1), 0`),
    insertRows(
      count,
      'tickets ("user", app_id, scene, code, wechat_ticket, url, lang, created_at, expires_at, state)',
      `${user}, '${appId}', 'wb1_' || ${padded(22)}, ${padded(8)}, 'ticket', 'http://weixin.qq.com/q/' || (n - 1), 'en', ${now}, ${now + 3 * 3_600_000}, 'pending'`,
    ),
  ])
  if (!isSqlite(url)) await query(url, 'vacuum analyze')
}
