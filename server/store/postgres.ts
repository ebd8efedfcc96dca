/** The store in PostgreSQL: any number of instances share it, and each hears of the others' commits. NODE. */
import { randomBytes } from 'node:crypto'
import { Kysely, PostgresDialect, sql } from 'kysely'
import { guardedWithin } from './guard.ts'
import { createListeners } from './listeners.ts'
import { createLocks, OutOfOrder, type Wanted } from './locks.ts'
import { migrateToLatest } from './migrations.ts'
import { createListener } from './pg-listener.ts'
import { createPatientPool, createPool } from './pg-pool.ts'
import { runOn } from './query.ts'
import type { Tables } from './schema.ts'
import type { TxSettings } from './sql-changes.ts'
import { createOutbox } from './sql-outbox.ts'
import { createQueries } from './sql-queries.ts'
import { createReads } from './sql-reads.ts'
import { createTx } from './sql-tx.ts'
import type { Committed, Store, Tidings, Tx } from './store.ts'

export type PostgresOptions = {
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
  const db = new Kysely<Tables>({ dialect: new PostgresDialect({ pool: createPool(url) }) })
  const queries = createQueries(db)
  const guard = guardedWithin(ANSWER_WITHIN_MS)
  const listeners = createListeners()
  const underway = new Set<Promise<unknown>>()
  let sender = newSender()

  const listener = await createListener({
    url,
    channel: CHANNEL,
    onMessage(payload) {
      const { from, tidings } = parseNotification(payload)
      // Our own were told at once.
      if (from !== sender) listeners.tell([tidings])
    },
    onGap: () => listeners.tell(['missed']),
  })

  async function runOnce<T>(work: (tx: Tx) => Promise<T>, wanted: Wanted): Promise<T> {
    const touched = new Map<number, Committed>()
    let isDone = false
    try {
      return await db.transaction().execute(async (trx) => {
        const result = await work(createTx(runOn(trx), queries, settings, touched, await createLocks(trx, wanted)))
        await notify(trx, sender, touched.values())
        isDone = true
        return result
      })
    } catch (error) {
      // The line broke on the commit, which may have come through, or may yet: then its own notification tells of it.
      if (isDone) sender = newSender()
      throw error
    } finally {
      if (isDone) listeners.tell(touched.values())
    }
  }

  async function run<T>(work: (tx: Tx) => Promise<T>): Promise<T> {
    const wanted: Wanted = { openids: new Set(), users: new Set() }
    for (let runs = 1; ; runs++) {
      try {
        return await runOnce(work, wanted)
      } catch (error) {
        if (runs === MOST_RUNS || !isPassing(error)) throw error
      }
    }
  }

  const reads = createReads(db, { read: runOn(db), write: runOn(db) }, guard, 'postgres')
  return {
    ...reads,
    outbox: createOutbox(db, guard),
    write(work) {
      const unit = run(work).finally(() => underway.delete(unit))
      underway.add(unit)
      return guard(unit)
    },
    onCommit: listeners.add,
    async ping() {
      await reads.ping()
      if (!listener.isListening()) await guard(Promise.reject(new Error('the listening connection is lost')))
    },
    async close() {
      await Promise.allSettled(underway)
      await listener.close()
      await db.destroy()
    },
  }
}

async function migrate(url: string): Promise<void> {
  const db = new Kysely<Tables>({ dialect: new PostgresDialect({ pool: createPatientPool(url) }) })
  await migrateToLatest(db, 'postgres').finally(() => db.destroy())
}

/** Names the transactions of this instance, so that it knows its own notifications. */
const newSender = () => randomBytes(6).toString('base64url')

/** One for each user, in the transaction itself: heard after its commit, and never without it. */
async function notify(db: Kysely<Tables>, sender: string, touched: Iterable<Committed>): Promise<void> {
  const payloads = [...touched].map(({ identity: { tenant, account, userId }, version }) =>
    JSON.stringify([sender, tenant, account, userId, version]),
  )
  if (payloads.length === 0) return
  await sql`select pg_notify(${CHANNEL}, payload) from unnest(${payloads}::text[]) as payload`.execute(db)
}

/** What cannot be read was said by another version of this server: something has changed, for whom is not known. */
function parseNotification(payload: string): { from?: string; tidings: Tidings } {
  try {
    const [from, tenant, account, userId, version] = JSON.parse(payload) as [string, string, string, string, number]
    return { from, tidings: { identity: { tenant, account, userId }, version } }
  } catch {
    return { tidings: 'missed' }
  }
}

const SERIALIZATION_FAILURE = '40001'
const DEADLOCK = '40P01'
const UNIQUE_VIOLATION = '23505'

/** Whether another run may succeed: locks came in the wrong order, or the same delivery was remembered meanwhile. */
function isPassing(error: unknown): boolean {
  if (error instanceof OutOfOrder) return true
  const { code, constraint } = error as { code?: string; constraint?: string }
  if (code === UNIQUE_VIOLATION) return constraint === 'memories_pkey'
  return code === SERIALIZATION_FAILURE || code === DEADLOCK
}
