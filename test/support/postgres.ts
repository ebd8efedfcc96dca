/** A PostgreSQL server for tests, with a new database for each of them. */
import pg from 'pg'
import { startPostgresServer } from '../../demo/postgres.ts'

export type Postgres = Awaited<ReturnType<typeof startPostgres>>

/** Starts a server; `remove` stops it and deletes its data. Only with `isDurable` does a commit survive a power cut. */
export async function startPostgres({ isDurable = false } = {}) {
  const { urlOf, stop, start, remove } = await startPostgresServer([`fsync=${isDurable ? 'on' : 'off'}`])
  let databases = 0

  return {
    /** The URL of a new and empty database. */
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

/** One statement on a connection of its own. */
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

/** A connection that stays and writes down what is said on a channel. It ends with its server. */
export async function newSubscriber(url: string, channel: string) {
  const client = new pg.Client(url)
  client.on('error', () => {})
  await client.connect()
  const said: string[] = []
  let look = () => {}
  client.on('notification', ({ payload = '' }) => {
    said.push(payload)
    look()
  })
  await client.query(`listen ${client.escapeIdentifier(channel)}`)
  return {
    query: (text: string) => client.query(text),
    /** Resolves with all that was said up to `last`. */
    until: (last: string) =>
      new Promise<string[]>((resolve) => {
        look = () => said.includes(last) && resolve(said)
        look()
      }),
  }
}

/** A unit that yields this stands still until its gate is opened. */
export const PAUSE = { text: 'select pg_advisory_xact_lock_shared(7)', values: [] }

/** A shut gate in a database: `count` units stand before it, then it opens for all and for good. */
export async function newGate(url: string) {
  const client = new pg.Client(url)
  client.on('error', () => {})
  await client.connect()
  await client.query('select pg_advisory_lock(7)')
  return {
    async isReachedBy(count: number): Promise<void> {
      const reached = "select 1 from pg_locks where locktype = 'advisory' and objid = 7 and not granted"
      while ((await query(url, reached)).length < count);
    },
    open: () => client.end(),
  }
}
