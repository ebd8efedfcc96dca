/**
 * The store in PostgreSQL. Any number of instances share the database, and each instance is notified of the commits of the
 * others. Node only.
 */
import { randomBytes } from 'node:crypto'
import { Kysely, PostgresDialect, sql } from 'kysely'
import { type Plan, type RunAsync, runPlanAsync } from '../plan.ts'
import { createCommitListeners } from '../sql/commit-listeners.ts'
import { runOn } from '../sql/compiled-query.ts'
import { createConsoleStore } from '../sql/console.ts'
import { asStoreErrorWithin } from '../sql/engine-errors.ts'
import { purgeErased } from '../sql/erasure.ts'
import { createEventFeed } from '../sql/feed.ts'
import { migrateToLatest } from '../sql/migrations.ts'
import { createOutbox } from '../sql/outbox.ts'
import { createQueries } from '../sql/queries.ts'
import { createReads } from '../sql/reads.ts'
import { createSweep } from '../sql/sweep.ts'
import type { Tables } from '../sql/tables.ts'
import type { TxSettings } from '../sql/tx-settings.ts'
import { createUnionidQueue } from '../sql/unionid-queue.ts'
import { SqlTx } from '../sql/unit-of-work.ts'
import type { CommitNotice, Committed, Store, UnitOfWork } from '../store.ts'
import { createBatchedTransactions, RolledBackError } from './batched-transactions.ts'
import { createLocks, LockOrderError, type LockRequest, shareLocks } from './locks.ts'
import { createListener } from './notifications.ts'
import { ConnectionLostError, createCommandPool, createMaintenancePool, createPool, inTransaction } from './pool.ts'

type PostgresOptions = {
  /** `postgres://user:password@host/database` */
  url: string
  /** Whether a command opens the store, not a server. */
  isCommand?: boolean | undefined
} & TxSettings

const CHANNEL = 'wechat_bind'

// WeChat waits 5 s for the response. The other 2 s are for the network and the response.
const STORE_TIMEOUT_MS = 3_000

// A connection that was closed fails at once. After a longer time the caller could not get the answer of another run.
const REPEAT_WITHIN_MS = 500

// A transaction that requests a lock out of order is rolled back and run again. Each run first acquires the locks that the earlier
// runs requested, so more than three runs are rare.
const MAX_RUNS = 8

/** Connects and migrates the tables; several instances may do this at the same time. */
export async function openPostgresStore({ url, isCommand, ...settings }: PostgresOptions): Promise<Store> {
  await migrate(url)
  let testListener = () => {}
  const pool = isCommand ? createCommandPool(url) : createPool(url, () => testListener())
  const db = new Kysely<Tables>({ dialect: new PostgresDialect({ pool }) })
  const queries = createQueries(db, 'postgres')
  const asStoreError = asStoreErrorWithin(STORE_TIMEOUT_MS)
  const listeners = createCommitListeners()
  let sender = newSender()

  const listener = await createListener({
    url,
    channel: CHANNEL,
    onMessage(payload) {
      const { from, notice } = parseNotification(payload)
      // A notification of this instance's own commit is ignored, because its listeners were notified right after the commit.
      if (from !== sender) listeners.notify([notice])
    },
    onGap: () => listeners.notify(['missed']),
    notify: (channel) => sql`select pg_notify(${channel}, '')`.execute(db),
  })

  testListener = listener.probe

  /** Runs the units in one transaction. If the connection is lost before the commit, the transaction runs once more on another one. */
  async function runOnce(works: UnitOfWork[], requested: LockRequest): Promise<unknown[]> {
    const startedAt = performance.now()
    try {
      return await runTransaction(works, requested)
    } catch (error) {
      const isLate = performance.now() - startedAt > REPEAT_WITHIN_MS
      if (!(error instanceof RolledBackError) || !(error.cause instanceof ConnectionLostError)) throw error
      if (isLate) throw error.cause
      return await runTransaction(works, requested).catch((again) => {
        throw again instanceof RolledBackError && again.cause instanceof ConnectionLostError ? again.cause : again
      })
    }
  }

  /** Runs the units of work concurrently in one transaction, which acquires the locks of `requested` first. */
  async function runTransaction(works: UnitOfWork[], requested: LockRequest): Promise<unknown[]> {
    const bumped = new Map<number, Committed>()
    let isCommitting = false
    try {
      return await inTransaction(pool, async (run) => {
        const locksOf = shareLocks(await runPlanAsync(createLocks(requested), run))
        const units = works.map((work, i) => runPlanAsync(work(new SqlTx(queries, settings, bumped, locksOf(i))), run))
        // Waits for every unit even if one has failed, because no unit may send a statement after the rollback.
        const results = (await Promise.allSettled(units)).map(valueOrThrow)
        await sendNotifications(run, sender, bumped.values())
        isCommitting = true
        return results
      })
    } catch (error) {
      if (!isCommitting) throw new RolledBackError('rolled back before the commit', { cause: error })
      // The connection was lost during COMMIT, so the outcome is unknown. With a new sender name this instance no longer ignores
      // the notification of that transaction.
      sender = newSender()
      throw error
    } finally {
      if (isCommitting) listeners.notify(bumped.values())
    }
  }

  async function runAlone(work: UnitOfWork): Promise<unknown> {
    const requested: LockRequest = { openids: new Set(), users: new Set() }
    for (let runs = 1; ; runs++) {
      try {
        return (await runOnce([work], requested))[0]
      } catch (error) {
        const cause = error instanceof RolledBackError ? error.cause : error
        if (runs === MAX_RUNS || !isRetryable(cause)) throw cause
      }
    }
  }

  const runTogether = (works: UnitOfWork[]) => runOnce(works, { openids: new Set(), users: new Set() })
  const transactions = createBatchedTransactions(runTogether, runAlone, STORE_TIMEOUT_MS)
  const runWithoutTransaction = <T>(plan: Plan<T>) => runPlanAsync(plan, runOn(db))
  /** All statements of the plan see the same commits. */
  const runOnSnapshot = <T>(plan: Plan<T>) =>
    inTransaction(pool, (run) => runPlanAsync(plan, run), 'begin isolation level repeatable read, read only')
  const reads = createReads(db, queries, runWithoutTransaction, runOnSnapshot, asStoreError, settings)
  const write: Store['write'] = (...args) => asStoreError(transactions.write(...args))
  const readEvents = createEventFeed(
    db,
    (plan) => runWithoutTransaction(plan()),
    (plan) => inTransaction(pool, (run) => runPlanAsync(plan(), run)),
  )
  return {
    ...reads,
    countAttempt: (...attempt) =>
      asStoreError(runWithoutTransaction(new SqlTx(queries, settings, new Map()).countAttempt(...attempt))),
    unionids: createUnionidQueue(db, (plan) => runWithoutTransaction(plan()), write, asStoreError, 'postgres'),
    events: (feedQuery) => asStoreError(readEvents(feedQuery)),
    sweep: createSweep(db, asStoreError, 'postgres'),
    outbox: createOutbox({ db, engine: 'postgres', asStoreError, write: transactions.write }),
    console: createConsoleStore({
      db,
      engine: 'postgres',
      read: (plan) => runWithoutTransaction(plan()),
      write: (plan) => inTransaction(pool, (run) => runPlanAsync(plan(), run)),
      asStoreError,
    }),
    write,
    purgeErased: (before) => purgeErased(write, before),
    onCommit: listeners.add,
    async ping() {
      await reads.ping()
      if (!listener.isListening()) await asStoreError(Promise.reject(new Error('the listening connection is lost')))
    },
    async close() {
      await transactions.idle()
      await listener.close()
      await db.destroy()
    },
  }
}

async function migrate(url: string): Promise<void> {
  const db = new Kysely<Tables>({ dialect: new PostgresDialect({ pool: createMaintenancePool(url) }) })
  await migrateToLatest(db, 'postgres').finally(() => db.destroy())
}

/** Names the sender of a notification, so that an instance recognizes its own. */
const newSender = () => randomBytes(6).toString('base64url')

/** Sends one notification per user inside the transaction. PostgreSQL delivers it only if the transaction commits. */
async function sendNotifications(run: RunAsync, sender: string, bumped: Iterable<Committed>): Promise<void> {
  const payloads = [...bumped].map(({ identity: { tenant, account, userId }, version }) =>
    JSON.stringify([sender, tenant, account, userId, version]),
  )
  if (payloads.length === 0) return
  await run({ text: 'select pg_notify($1, payload) from unnest($2::text[]) as payload', values: [CHANNEL, payloads] })
}

function valueOrThrow(result: PromiseSettledResult<unknown>): unknown {
  if (result.status === 'rejected') throw result.reason
  return result.value
}

/** A payload that cannot be parsed comes from another version of this server, and means that an unknown user has changed. */
function parseNotification(payload: string): { from?: string; notice: CommitNotice } {
  try {
    const [from, tenant, account, userId, version] = JSON.parse(payload) as [string, string, string, string, number]
    return { from, notice: { identity: { tenant, account, userId }, version } }
  } catch {
    return { notice: 'missed' }
  }
}

const SERIALIZATION_FAILURE = '40001'
const DEADLOCK = '40P01'
const UNIQUE_VIOLATION = '23505'

/** Whether another run may succeed: a lock was requested out of order, or another unit has recorded the same delivery. */
function isRetryable(error: unknown): boolean {
  if (error instanceof LockOrderError) return true
  const { code, constraint } = error as { code?: string; constraint?: string }
  if (code === UNIQUE_VIOLATION) return constraint === 'deliveries_pkey'
  return code === SERIALIZATION_FAILURE || code === DEADLOCK
}
