/**
 * Bounded connection pools for PostgreSQL, with time-outs shorter than the 5 s in which WeChat expects an answer. Node only.
 *
 * After a failover the address leads to another server. The pool then has to drop the connections to the old server, even those that
 * still look open, because the old server may be cut off, or may have become a standby:
 * 1. A query without an answer, and a query that a standby refuses, end their connection. All connections opened before are discarded when
 *    they are next taken or released.
 * 2. A new connection is refused if it leads to a standby. Its rows may be old, and it would refuse writes.
 * 3. The error is `ConnectionLostError`. The caller may run its transaction again, unless it was lost during COMMIT.
 *
 * Without the first rule each of ten idle connections would fail one request after 2.5 s.
 */
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

// A primary may refuse writes for other reasons, for example on a full disk. Then the pool must not open new connections all the time.
const LOSSES_APART_MS = 1_000

/** There was no connection to a primary, or it was lost before the answer. */
export class ConnectionLostError extends Error {}

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
export const createPool = (url: string, onLoss = () => {}): PostgresPool =>
  discardBroken(
    new pg.Pool({
      ...toConnection(url),
      max: POOL_SIZE,
      onConnect: expectPrimary,
      pipeline: true,
      statement_timeout: STATEMENT_TIMEOUT_MS,
      lock_timeout: LOCK_TIMEOUT_MS,
      idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_TIMEOUT_MS,
      query_timeout: QUERY_TIMEOUT_MS,
    }),
    onLoss,
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
function discardBroken(pool: pg.Pool, onLoss = () => {}): PostgresPool {
  /** Counts the lost connections. A connection that was opened before the last loss is not used again. */
  let losses = 0
  const openedAfter = new WeakMap<pg.PoolClient, number>()
  /** Connections whose last commit is only on the primary. */
  const unreplicated = new WeakSet<pg.PoolClient>()
  // The pool itself removes a failed connection. Without a listener the `error` event would end the process.
  pool.on('error', () => {})
  pool.on('connect', (client) => {
    openedAfter.set(client, losses)
    client.on('error', () => {})
    client.on('notice', ({ routine }) => {
      if (routine === CANCELLED_WAIT) unreplicated.add(client)
    })
  })
  const isOutdated = (client: pg.PoolClient) => openedAfter.get(client) !== losses
  let lostAt = Number.NEGATIVE_INFINITY

  function lose(client: pg.PoolClient): void {
    const now = performance.now()
    if (isOutdated(client) || now - lostAt < LOSSES_APART_MS) return
    lostAt = now
    losses++
    onLoss()
  }

  async function take(): Promise<pg.PoolClient> {
    for (;;) {
      const client = await pool.connect().catch((cause) => {
        throw new ConnectionLostError(cause.message, { cause })
      })
      if (!isOutdated(client)) return client
      client.release(true)
    }
  }

  return {
    options: pool.options,
    end: () => pool.end(),
    async connect() {
      const client = await take()
      let isBroken = false
      return {
        async query(text: string, values: unknown[]) {
          try {
            const result = await client.query({ name: statementNameOf(text), text, values })
            if (unreplicated.has(client)) throw new Error('the commit is not on the synchronous standby')
            return result
          } catch (error) {
            if (isAnswer(error)) throw error
            isBroken ||= !(error instanceof pg.DatabaseError)
            lose(client)
            throw new ConnectionLostError((error as Error).message, { cause: error })
          }
        },
        release: (isDiscarded = false) => client.release(isDiscarded || isBroken || isOutdated(client)),
        // biome-ignore lint/suspicious/noExplicitAny: Kysely's type has an overload for cursors, which is not used here
      } as any
    },
  }
}

/** The connection stays usable after an error that the server itself has reported. */
const isAnswer = (error: unknown) => error instanceof pg.DatabaseError && !NO_PRIMARY.test(error.code ?? '')

// `read_only_sql_transaction`, and the errors of a server that stops, has crashed or starts.
const NO_PRIMARY = /^(25006|57P0[123])$/

/**
 * The function of PostgreSQL that sends this warning: an administrator cancelled a COMMIT that waited for the synchronous standby.
 * PostgreSQL reports success, although a failover would lose the commit.
 */
const CANCELLED_WAIT = 'SyncRepWaitForLSN'

/** Throws if the new connection leads to a standby. */
async function expectPrimary(client: pg.ClientBase): Promise<void> {
  const { rows } = await client.query<{ isStandby: boolean }>('select pg_is_in_recovery() as "isStandby"')
  if (rows[0]?.isStandby) throw new Error('the server is a standby, not the primary')
}

/**
 * Rolls back when `work` throws. Unlike a transaction of Kysely, this function lets `work` send a statement before earlier
 * statements are answered.
 */
export async function inTransaction<T>(
  pool: PostgresPool,
  work: (run: RunAsync) => Promise<T>,
  begin: 'begin' | 'begin isolation level repeatable read, read only' = 'begin',
): Promise<T> {
  const client = await pool.connect()
  try {
    await client.query(begin, [])
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
