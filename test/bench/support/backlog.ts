/** Fills every table from which the sweep deletes with expired rows. Uses SQL for both engines. */
import { DatabaseSync } from 'node:sqlite'
import { query } from '../../support/postgres.ts'

const DAY = 24 * 60 * 60_000

// SQL for random but unique numbers, so that rows with successive ids are on distant pages of an index.
const random = 'n * 2654435761 % 4294967296'

/**
 * Adds `count` rows to each large table. These events must be the oldest events, so this function must be called before
 * other events are written.
 */
function backlogStatements(count: number, users: number, now: number): string[] {
  const some = Math.ceil(count / 5)
  const insert = (rows: number, into: string, values: string) =>
    `insert into ${into} with recursive i(n) as (select 1 union all select n + 1 from i where n < ${rows}) select ${values} from i`
  const user = `1 + (${random}) % ${users}`
  const old = now - 200 * DAY
  return [
    insert(
      count,
      'events ("user", tenant, version, type, reason, at, uid)',
      `${user}, 'default', n, 'bound', 'scan', ${old} + n, 'old' || n`,
    ),
    insert(some, 'outbox (event, "user", tenant, state, next_at)', `n, ${user}, 'default', 'failed', ${old} + n`),
    insert(
      some,
      'notices (event, "user", receiver, state, next_at)',
      `${some} + n, ${user}, 'r1', 'failed', ${old} + n`,
    ),
    insert(
      some,
      'notices (event, "user", receiver, state, next_at)',
      `${some} + n, ${user}, 'r2', 'failed', ${old} + n`,
    ),
    // A sweep deletes the first row of the table first.
    insert(count, 'deliveries (key, text, until, "user")', `(${random}) || '-' || n, '已绑定', n, ${user}`),
    insert(count, 'jtis (jti, until)', `(${random}) || '-' || n, n`),
    insert(count, 'rate_windows (scope, until, count)', `'qr/minute/user/' || (${random}) || '-' || n, n, 1`),
    insert(
      count,
      'tickets ("user", app_id, scene, code, wechat_ticket, url, lang, created_at, expires_at, state)',
      `${user}, 'wx1', 'wb1_old' || (${random}) || '-' || n, 'OLD' || (${random}) || '-' || n, 'gQH' || n, 'http://weixin.qq.com/q/' || n, 'zh-CN', n, n, 'used'`,
    ),
    insert(some, 'unfollow_tombstones (openid_hash, until, event_time)', `(${random}) || '-' || n, n, 1`),
    insert(
      some,
      'authorizations ("user", app_id, state, state_hash, return_url, created_at, until)',
      `${user}, 'wx1', 'closed', (${random}) || '-' || n, 'https://shop.example/account', n, n`,
    ),
    insert(some, 'wrong_codes (openid_hash, at)', `(${random}) || '-' || n, n`),
    insert(some, 'console_sessions (hash, name, token_hash, until)', `(${random}) || '-' || n, 'otto', 'hash', n`),
    insert(some, 'console_actions (at, operator, action, "user", version)', `n, 'otto', 'reveal', ${user}, 1`),
    insert(some, 'figures (hour, tenant)', `${old} - n * 3600000, 'default'`),
    insert(some, 'wechat_errors (hour, errcode, count, last_at)', `${old} - n * 3600000, 45009, 1, n`),
    insert(some, 'instances (name, at, waiting, waiting_limit)', `(${random}) || '-' || n, n, 0, 1`),
  ]
}

export async function fillBacklog(url: string, count: number, users: number, now: number): Promise<void> {
  const statements = backlogStatements(count, users, now)
  if (!url.startsWith('sqlite:')) {
    for (const text of statements) await query(url, text)
    return
  }
  const database = new DatabaseSync(url.slice('sqlite:'.length))
  database.exec(`pragma synchronous = off; begin; ${statements.join(';')}; commit`)
  database.close()
}

/** Returns whether the sweep has begun and ended. It begins with the first delivery and ends with the last event. */
export async function sweepProgress(url: string, count: number): Promise<'waits' | 'runs' | 'is over'> {
  const has = async (rows: string) => (await select(url, `select 1 from ${rows} limit 1`)).length > 0
  if (await has('deliveries where until = 1')) return 'waits'
  return (await has(`events where id <= ${count}`)) ? 'runs' : 'is over'
}

async function select(url: string, text: string): Promise<object[]> {
  if (!url.startsWith('sqlite:')) return query(url, text)
  const database = new DatabaseSync(url.slice('sqlite:'.length), { readOnly: true })
  try {
    return database.prepare(text).all()
  } finally {
    database.close()
  }
}
