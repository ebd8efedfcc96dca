/**
 * The tables of the measured server. The sweep keeps events for 90 days and tickets for a day, so in half an hour no
 * table would stop growing. Therefore `age` makes rows older, so that each row expires `keptMs` after it was written.
 * The sweep of the server then deletes these rows.
 */
import { DatabaseSync } from 'node:sqlite'
import pg from 'pg'

export type Rows = {
  /** Returns the number of rows of each table. */
  count(): Promise<Record<string, number>>
  age(): Promise<void>
  close(): Promise<void>
}

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

const tables = [
  'users',
  'bindings',
  'tickets',
  'authorizations',
  'events',
  'outbox',
  'notices',
  'deliveries',
  'unfollow_tombstones',
  'wrong_codes',
  'jtis',
  'rate_windows',
  'console_sessions',
  'console_actions',
  'figures',
  'wechat_errors',
  'instances',
  'webhook_receivers',
]

const counts = `select ${tables.map((table) => `(select count(*) from ${table}) as ${table}`).join(', ')}`

/** `lifetime`: from the insertion of a row to `until`. */
function ageStatements(now: number, keptMs: number): string[] {
  const before = now - keptMs
  const expire = (table: string, lifetime: number, where = 'true') =>
    `update ${table} set until = ${now} where until > ${now} and until < ${now + lifetime - keptMs} and ${where}`
  return [
    `update tickets set expires_at = expires_at - ${DAY} where created_at < ${before} and expires_at > ${now - DAY}`,
    `update events set at = at - ${90 * DAY} where at < ${before} and at > ${now - 90 * DAY}`,
    `update console_actions set at = at - ${365 * DAY} where at < ${before} and at > ${now - 365 * DAY}`,
    `update wrong_codes set at = at - ${HOUR} where at < ${before} and at > ${now - HOUR}`,
    expire('deliveries', 10 * MINUTE),
    expire('unfollow_tombstones', 10 * MINUTE),
    expire('jtis', 10 * MINUTE),
    expire('authorizations', 5 * MINUTE),
    expire('console_sessions', 12 * HOUR),
    expire('rate_windows', HOUR, `scope like '%/hour/%'`),
    expire('rate_windows', DAY, `scope like '%/day/%'`),
  ]
}

export const openRows = (url: string, keptMs: number): Promise<Rows> =>
  url.startsWith('sqlite:') ? openSqlite(url.slice('sqlite:'.length), keptMs) : openPostgres(url, keptMs)

async function openSqlite(file: string, keptMs: number): Promise<Rows> {
  const database = new DatabaseSync(file)
  // `synchronous` is off, because these changes need not survive a crash of the machine.
  database.exec('PRAGMA busy_timeout = 5000; PRAGMA synchronous = OFF; PRAGMA secure_delete = ON')
  const counting = database.prepare(counts)
  return {
    count: async () => ({ ...counting.get() }) as Record<string, number>,
    async age() {
      for (const text of ageStatements(Date.now(), keptMs)) database.exec(text)
    },
    close: async () => database.close(),
  }
}

async function openPostgres(url: string, keptMs: number): Promise<Rows> {
  // `count` and `age` may run at the same time.
  const pool = new pg.Pool({ connectionString: url, max: 2 })
  pool.on('error', () => {})
  return {
    async count() {
      const { rows } = await pool.query<Record<string, string>>(counts)
      return Object.fromEntries(Object.entries(rows[0]!).map(([name, count]) => [name, Number(count)]))
    },
    async age() {
      for (const text of ageStatements(Date.now(), keptMs)) await pool.query(text)
    },
    close: () => pool.end(),
  }
}
