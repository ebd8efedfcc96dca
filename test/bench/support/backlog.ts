/** Fills every table from which the sweep deletes with expired rows. Uses SQL for both engines. */
import { DatabaseSync } from 'node:sqlite'
import { query } from '../../support/postgres.ts'
import { insertRows, isSqlite, runStatements } from './statements.ts'

const DAY = 24 * 60 * 60_000

// SQL for random but unique numbers, so that rows with successive ids are on distant pages of an index.
const random = 'n * 2654435761 % 4294967296'

/**
 * Adds `count` rows to each large table. These events must be the oldest events, so this function must be called before
 * other events are written.
 */
function backlogStatements(count: number, users: number, now: number): string[] {
  const some = Math.ceil(count / 5)
  const user = `1 + (${random}) % ${users}`
  const old = now - 200 * DAY
  return [
    insertRows(
      count,
      'events ("user", tenant, version, type, reason, at, uid)',
      `${user}, 'default', n, 'bound', 'scan', ${old} + n, 'old' || n`,
    ),
    insertRows(some, 'outbox (event, "user", tenant, state, next_at)', `n, ${user}, 'default', 'failed', ${old} + n`),
    insertRows(
      some,
      'notices (event, "user", receiver, state, next_at)',
      `${some} + n, ${user}, 'r1', 'failed', ${old} + n`,
    ),
    insertRows(
      some,
      'notices (event, "user", receiver, state, next_at)',
      `${some} + n, ${user}, 'r2', 'failed', ${old} + n`,
    ),
    // A sweep deletes the first row of the table first.
    insertRows(count, 'deliveries (key, text, until, "user")', `(${random}) || '-' || n, '已绑定', n, ${user}`),
    insertRows(count, 'jtis (jti, until)', `(${random}) || '-' || n, n`),
    insertRows(count, 'rate_windows (scope, until, count)', `'qr/minute/user/' || (${random}) || '-' || n, n, 1`),
    insertRows(
      count,
      'tickets ("user", app_id, scene, code, wechat_ticket, url, lang, created_at, expires_at, state)',
      `${user}, 'wx1', 'wb1_old' || (${random}) || '-' || n, 'OLD' || (${random}) || '-' || n, 'gQH' || n, 'http://weixin.qq.com/q/' || n, 'zh-CN', n, n, 'used'`,
    ),
    insertRows(some, 'unfollow_tombstones (openid_hash, until, event_time)', `(${random}) || '-' || n, n, 1`),
    insertRows(
      some,
      'authorizations ("user", app_id, state, state_hash, return_url, created_at, until)',
      `${user}, 'wx1', 'closed', (${random}) || '-' || n, 'https://shop.example/account', n, n`,
    ),
    insertRows(some, 'wrong_codes (openid_hash, at)', `(${random}) || '-' || n, n`),
    insertRows(some, 'console_sessions (hash, name, token_hash, until)', `(${random}) || '-' || n, 'otto', 'hash', n`),
    insertRows(some, 'console_actions (at, operator, action, "user", version)', `n, 'otto', 'reveal', ${user}, 1`),
    insertRows(some, 'figures (hour, tenant)', `${old} - n * 3600000, 'default'`),
    insertRows(some, 'wechat_errors (hour, errcode, count, last_at)', `${old} - n * 3600000, 45009, 1, n`),
    insertRows(some, 'instances (name, at, waiting, waiting_limit)', `(${random}) || '-' || n, n, 0, 1`),
  ]
}

export async function fillBacklog(url: string, count: number, users: number, now: number): Promise<void> {
  await runStatements(url, backlogStatements(count, users, now))
}

/** Returns whether the sweep has begun and ended. It begins with the first delivery and ends with the last event. */
export async function sweepProgress(url: string, count: number): Promise<'waits' | 'runs' | 'is over'> {
  const has = async (rows: string) => (await select(url, `select 1 from ${rows} limit 1`)).length > 0
  if (await has('deliveries where until = 1')) return 'waits'
  return (await has(`events where id <= ${count}`)) ? 'runs' : 'is over'
}

async function select(url: string, text: string): Promise<object[]> {
  if (!isSqlite(url)) return query(url, text)
  const database = new DatabaseSync(url.slice('sqlite:'.length), { readOnly: true })
  try {
    return database.prepare(text).all()
  } finally {
    database.close()
  }
}
