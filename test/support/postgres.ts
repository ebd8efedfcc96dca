/**
 * Starts a separate PostgreSQL server and runs statements on it. Most tests share one server instead (see
 * `databases.ts`).
 */
import pg from 'pg'
import { startPostgresServer } from '../../demo/postgres.ts'

export type Postgres = Awaited<ReturnType<typeof startPostgres>>

type PostgresOptions = {
  /** Turns fsync on. Only benchmarks need it. */
  isDurable?: boolean
  /** Further lines of postgresql.conf. */
  settings?: string[]
  /** The folder in which the server creates its data folder. */
  parent?: string | undefined
}

/** Starts a server. `remove` stops the server and deletes its data. */
export async function startPostgres({ isDurable = false, settings = [], parent }: PostgresOptions = {}) {
  const lines = [`fsync=${isDurable ? 'on' : 'off'}`, ...settings]
  const { urlOf, stop, start, remove } = await startPostgresServer(lines, parent)
  let databases = 0

  return {
    /** The URL of the database `postgres`. */
    url: urlOf('postgres'),
    /** Creates an empty database and returns its URL. */
    async newDatabase(): Promise<string> {
      const name = `test${++databases}`
      await query(urlOf('postgres'), `create database ${name}`)
      return urlOf(name)
    },
    stop,
    start,
    remove,
  }
}

export const withDatabase = (url: string, name: string) => Object.assign(new URL(url), { pathname: name }).href

/** Runs one statement on a new connection. */
export async function query<Row extends object>(url: string, text: string, values: unknown[] = []): Promise<Row[]> {
  const client = new pg.Client(url)
  client.on('error', () => {})
  await client.connect()
  try {
    return (await client.query<Row>(text, values)).rows
  } finally {
    await client.end()
  }
}

/** Opens a connection that records the notifications of a channel. The connection is closed when its server stops. */
export async function newSubscriber(url: string, channel: string) {
  const client = new pg.Client(url)
  client.on('error', () => {})
  await client.connect()
  const payloads: string[] = []
  let onPayload = () => {}
  client.on('notification', ({ payload = '' }) => {
    payloads.push(payload)
    onPayload()
  })
  await client.query(`listen ${client.escapeIdentifier(channel)}`)
  return {
    query: (text: string) => client.query(text),
    end: () => client.end(),
    /** Waits for the payload `last`, then resolves with all payloads. */
    until: (last: string) =>
      new Promise<string[]>((resolve) => {
        onPayload = () => payloads.includes(last) && resolve(payloads)
        onPayload()
      }),
  }
}

/** A unit of work that yields this statement waits until the test opens the gate of `newGate`. */
export const PAUSE = { text: 'select pg_advisory_xact_lock_shared(7)', values: [] }

/**
 * The SQL condition for the rows of `pg_locks` and `pg_stat_activity` that belong to the current database. It is
 * necessary because the test files share one server.
 */
export const IN_DATABASE = 'pid in (select pid from pg_stat_activity where datname = current_database())'

/**
 * Takes an advisory lock that blocks every unit of work that yields `PAUSE`. `isReachedBy` resolves when `count` units
 * of work wait for the lock.
 */
export async function newGate(url: string) {
  const client = new pg.Client(url)
  client.on('error', () => {})
  await client.connect()
  await client.query('select pg_advisory_lock(7)')
  return {
    async isReachedBy(count: number): Promise<void> {
      const reached = `select 1 from pg_locks where locktype = 'advisory' and objid = 7 and not granted and ${IN_DATABASE}`
      while ((await query(url, reached)).length < count);
    },
    open: () => client.end(),
  }
}
