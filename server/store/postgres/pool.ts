/** Bounded connection pools for PostgreSQL, with time-outs shorter than the 5 s in which WeChat expects an answer. Node only. */
import type { PostgresPool } from 'kysely'
import pg from 'pg'
import type { RunAsync } from '../plan.ts'

// This is less than half of WeChat's 5 s, so that a failed attempt leaves time for an answer.
const CONNECT_TIMEOUT_MS = 2_000
const STATEMENT_TIMEOUT_MS = 2_000
const LOCK_TIMEOUT_MS = 1_500

// The time-out of the client, because an error of the server cannot arrive on a broken connection.
const QUERY_TIMEOUT_MS = 2_500

// This time is longer than any unit of work takes. After this time PostgreSQL releases the locks of an instance that lost its
// connection.
const IDLE_IN_TRANSACTION_TIMEOUT_MS = 5_000

/** The number of connections of one instance, without the listening connection. */
export const POOL_SIZE = 10

/** Settings of every connection. */
export const toConnection = (url: string): pg.ClientConfig => ({
  connectionString: url,
  application_name: 'wechat-bind',
  connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
  keepAlive: true,
  keepAliveInitialDelayMillis: 10_000,
  types: { getTypeParser },
})

/** The server's pool. Its connections are pipelined, so a statement can be sent before the previous one is answered. */
export const createPool = (url: string): PostgresPool =>
  discardBroken(
    new pg.Pool({
      ...toConnection(url),
      max: POOL_SIZE,
      pipeline: true,
      statement_timeout: STATEMENT_TIMEOUT_MS,
      lock_timeout: LOCK_TIMEOUT_MS,
      idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_TIMEOUT_MS,
      query_timeout: QUERY_TIMEOUT_MS,
    }),
  )

/**
 * The pool of a command. PostgreSQL plans each statement for the present size of the tables: a plan made at the beginning of an
 * import, when the tables were empty, would read all rows again and again.
 */
export function createCommandPool(url: string): PostgresPool {
  const pool = createPool(url)
  return {
    ...pool,
    async connect() {
      const client = await pool.connect()
      await client.query('set plan_cache_mode = force_custom_plan', [])
      return client
    },
  }
}

/** A pool without time-outs for statements, used for migrations and for copying a store. */
export const createMaintenancePool = (url: string): PostgresPool =>
  discardBroken(new pg.Pool({ ...toConnection(url), max: 2 }))

/** Closes a connection after a query without an answer, because the next query would get the late answer. */
function discardBroken(pool: pg.Pool): PostgresPool {
  // The pool itself removes a failed connection. Without a listener the `error` event would end the process.
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
            return await client.query({ name: statementNameOf(text), text, values })
          } catch (error) {
            // The connection stays usable after an error that the server itself has reported.
            isBroken ||= !(error instanceof pg.DatabaseError)
            throw error
          }
        },
        release: (isDiscarded = false) => client.release(isDiscarded || isBroken),
        // biome-ignore lint/suspicious/noExplicitAny: Kysely's type has an overload for cursors, which is not used here
      } as any
    },
  }
}

/**
 * Rolls back when `work` throws. Unlike a transaction of Kysely, this function lets `work` send a statement before earlier
 * statements are answered.
 */
export async function inTransaction<T>(pool: PostgresPool, work: (run: RunAsync) => Promise<T>): Promise<T> {
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
    // On a broken connection this fails too. The server then rolls back when the connection is closed.
    await client.query('rollback', []).catch(() => {})
    throw error
  } finally {
    client.release()
  }
}

const statementNames = new Map<string, string>()

/**
 * PostgreSQL parses and plans a named statement once per connection, which raised the rate of callbacks by half. The map stays
 * small, because Kysely compiles the same query to the same text.
 */
function statementNameOf(text: string): string {
  const name = statementNames.get(text) ?? `wb${statementNames.size}`
  statementNames.set(text, name)
  return name
}

const INT8 = 20

/** Ids, times and counts stay far below 2^53, so `bigint` columns become numbers, as in SQLite. */
function getTypeParser(oid: number, format?: 'text' | 'binary') {
  return oid === INT8 ? Number : pg.types.getTypeParser(oid, format as 'text')
}
