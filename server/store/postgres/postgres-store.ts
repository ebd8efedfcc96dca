/** The store in PostgreSQL: any number of instances share it, and each hears of the others' commits. NODE. */
import { randomBytes } from 'node:crypto'
import { Kysely, PostgresDialect } from 'kysely'
import { type Plan, type RunLater, runPlanLater } from '../plan.ts'
import type { TxSettings } from '../sql/changes.ts'
import { createListeners } from '../sql/commit-listeners.ts'
import { runOn } from '../sql/compiled-query.ts'
import { asStoreErrorWithin } from '../sql/engine-errors.ts'
import { migrateToLatest } from '../sql/migrations.ts'
import { createOutbox } from '../sql/outbox-queries.ts'
import { createQueries } from '../sql/queries.ts'
import { createReads } from '../sql/reads.ts'
import { createSweep } from '../sql/sweep.ts'
import type { Tables } from '../sql/tables.ts'
import { createUnionidQueue } from '../sql/unionid-queue.ts'
import { SqlTx } from '../sql/unit-of-work.ts'
import type { CommitNotice, Committed, Store, UnitOfWork } from '../store.ts'
import { createBatchedTransactions, RolledBack } from './batched-transactions.ts'
import { createLocks, LockOrderError, type LockRequest, shareLocks } from './locks.ts'
import { createListener } from './notifications.ts'
import { createMaintenancePool, createPool, inTransaction } from './pool.ts'

type PostgresOptions = {
  /** `postgres://user:password@host/database` */
  url: string
} & TxSettings

const CHANNEL = 'wechat_bind'

// WeChat gives up after 5 s; the rest is for the way and for the answer.
const ANSWER_WITHIN_MS = 3_000

// Each run begins with more of its locks; three are rare.
const MOST_RUNS = 8

/** Connects, and brings the tables up to date; other instances may do so at the same time. */
export async function openPostgresStore({ url, ...settings }: PostgresOptions): Promise<Store> {
  await migrate(url)
  const pool = createPool(url)
  const db = new Kysely<Tables>({ dialect: new PostgresDialect({ pool }) })
  const queries = createQueries(db)
  const guard = asStoreErrorWithin(ANSWER_WITHIN_MS)
  const listeners = createListeners()
  let sender = newSender()

  const listener = await createListener({
    url,
    channel: CHANNEL,
    onMessage(payload) {
      const { from, notice } = parseNotification(payload)
      // Our own were told at once.
      if (from !== sender) listeners.tell([notice])
    },
    onGap: () => listeners.tell(['missed']),
  })

  /** All of them at the same time in one transaction; `wanted` is locked first. */
  async function runOnce(works: UnitOfWork[], wanted: LockRequest): Promise<unknown[]> {
    const touched = new Map<number, Committed>()
    let isDone = false
    try {
      return await inTransaction(pool, async (run) => {
        const locksOf = shareLocks(await runPlanLater(createLocks(wanted), run))
        const units = works.map((work, i) => runPlanLater(work(new SqlTx(queries, settings, touched, locksOf(i))), run))
        // To the last one: none may still write when all is undone.
        const results = (await Promise.allSettled(units)).map(resultOf)
        await notify(run, sender, touched.values())
        isDone = true
        return results
      })
    } catch (error) {
      if (!isDone) throw new RolledBack('undone before the commit', { cause: error })
      // The line broke on the commit, which may have come through, or may yet: then its own notification tells of it.
      sender = newSender()
      throw error
    } finally {
      if (isDone) listeners.tell(touched.values())
    }
  }

  async function runAlone(work: UnitOfWork): Promise<unknown> {
    const wanted: LockRequest = { openids: new Set(), users: new Set() }
    for (let runs = 1; ; runs++) {
      try {
        return (await runOnce([work], wanted))[0]
      } catch (error) {
        const cause = error instanceof RolledBack ? error.cause : error
        if (runs === MOST_RUNS || !isPassing(cause)) throw cause
      }
    }
  }

  // 2.7 times as many scans a second as with a transaction each: fewer commits, and hardly a round trip that is waited for.
  const lanes = createBatchedTransactions((works) => runOnce(works, { openids: new Set(), users: new Set() }), runAlone)
  const alone = <T>(plan: Plan<T>) => runPlanLater(plan, runOn(db))
  const reads = createReads(db, alone, guard)
  return {
    ...reads,
    unionids: createUnionidQueue(db, (plan) => alone(plan()), guard, 'postgres'),
    sweep: createSweep(db, guard, 'postgres'),
    outbox: createOutbox(db, guard),
    write: (work) => guard(lanes.write(work)),
    onCommit: listeners.add,
    async ping() {
      await reads.ping()
      if (!listener.isListening()) await guard(Promise.reject(new Error('the listening connection is lost')))
    },
    async close() {
      await lanes.idle()
      await listener.close()
      await db.destroy()
    },
  }
}

async function migrate(url: string): Promise<void> {
  const db = new Kysely<Tables>({ dialect: new PostgresDialect({ pool: createMaintenancePool(url) }) })
  await migrateToLatest(db, 'postgres').finally(() => db.destroy())
}

/** Names the transactions of this instance, so that it knows its own notifications. */
const newSender = () => randomBytes(6).toString('base64url')

/** One for each user, in the transaction itself: heard after its commit, and never without it. */
async function notify(run: RunLater, sender: string, touched: Iterable<Committed>): Promise<void> {
  const payloads = [...touched].map(({ identity: { tenant, account, userId }, version }) =>
    JSON.stringify([sender, tenant, account, userId, version]),
  )
  if (payloads.length === 0) return
  await run({ text: 'select pg_notify($1, payload) from unnest($2::text[]) as payload', values: [CHANNEL, payloads] })
}

function resultOf(result: PromiseSettledResult<unknown>): unknown {
  if (result.status === 'rejected') throw result.reason
  return result.value
}

/** What cannot be read was said by another version of this server: something has changed, for whom is not known. */
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

/** Whether another run may succeed: locks came in the wrong order, or the same delivery was remembered meanwhile. */
function isPassing(error: unknown): boolean {
  if (error instanceof LockOrderError) return true
  const { code, constraint } = error as { code?: string; constraint?: string }
  if (code === UNIQUE_VIOLATION) return constraint === 'deliveries_pkey'
  return code === SERIALIZATION_FAILURE || code === DEADLOCK
}
