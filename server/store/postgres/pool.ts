/** A bounded pool of connections to PostgreSQL that gives up before WeChat does. NODE. */
import type { PostgresPool } from 'kysely'
import pg from 'pg'
import type { RunLater } from '../plan.ts'

// WeChat waits 5 s for its answer, and half of that is spent before a second try could help.
const CONNECT_WITHIN_MS = 2_000
const STATEMENT_WITHIN_MS = 2_000
const LOCK_WITHIN_MS = 1_500

// A silent line hears nothing of the server's own time-out.
const SILENCE_MS = 2_500

// Longer than any unit lives: the locks of an instance that is cut off are free again.
const IDLE_IN_TRANSACTION_MS = 5_000

/** Connections of one instance, beside the one that listens. */
export const POOL_SIZE = 10

/** How to connect, whatever for. */
export const toConnection = (url: string): pg.ClientConfig => ({
  connectionString: url,
  application_name: 'wechat-bind',
  connectionTimeoutMillis: CONNECT_WITHIN_MS,
  keepAlive: true,
  keepAliveInitialDelayMillis: 10_000,
  types: { getTypeParser },
})

/** For the server's own work. Pipelined: what is sent without waiting for an answer costs no round trip of its own. */
export const createPool = (url: string): PostgresPool =>
  discarding(
    new pg.Pool({
      ...toConnection(url),
      max: POOL_SIZE,
      pipeline: true,
      statement_timeout: STATEMENT_WITHIN_MS,
      lock_timeout: LOCK_WITHIN_MS,
      idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_MS,
      query_timeout: SILENCE_MS,
    }),
  )

/** For work that may take its time: migrations, and moving a store. */
export const createMaintenancePool = (url: string): PostgresPool =>
  discarding(new pg.Pool({ ...toConnection(url), max: 2 }))

/** A connection whose server did not answer is not used again: its late answer would be taken for the next one's. */
function discarding(pool: pg.Pool): PostgresPool {
  // A connection that breaks, idle or between two statements, leaves the pool by itself; unheard, the event would end the process.
  pool.on('error', () => {})
  pool.on('connect', (client) => client.on('error', () => {}))
  return {
    options: pool.options,
    end: () => pool.end(),
    async connect() {
      const client = await pool.connect()
      let isBroken = false
      return {
        async query(text: string, values: unknown[]) {
          try {
            return await client.query({ name: nameOf(text), text, values })
          } catch (error) {
            // The server's own errors bear a SQLSTATE, and the connection is as good as before.
            isBroken ||= !(error instanceof pg.DatabaseError)
            throw error
          }
        },
        release: (isDiscarded = false) => client.release(isDiscarded || isBroken),
        // biome-ignore lint/suspicious/noExplicitAny: Kysely's type has an overload for cursors, which we do not use
      } as any
    },
  }
}

/** Undoes all when `work` throws. Unlike Kysely's, statements need not wait for each other. */
export async function inTransaction<T>(pool: PostgresPool, work: (run: RunLater) => Promise<T>): Promise<T> {
  const client = await pool.connect()
  try {
    await client.query('begin', [])
    const result = await work(async ({ text, values }) => {
      const { rows, rowCount } = await client.query(text, values)
      return { rows, changes: rowCount }
    })
    await client.query('commit', [])
    return result
  } catch (error) {
    // On a broken connection, which is not used again, the server does it.
    await client.query('rollback', []).catch(() => {})
    throw error
  } finally {
    client.release()
  }
}

const names = new Map<string, string>()

/** Kysely writes the same text for the same query: named, it is parsed and planned once, which makes half as many callbacks again. */
function nameOf(text: string): string {
  const name = names.get(text) ?? `wb${names.size}`
  names.set(text, name)
  return name
}

const INT8 = 20

/** Ids, times and counts stay far below 2^53, so `bigint` columns are numbers, as in SQLite. */
function getTypeParser(oid: number, format?: 'text' | 'binary') {
  return oid === INT8 ? Number : pg.types.getTypeParser(oid, format as 'text')
}
