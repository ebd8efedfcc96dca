/** The store in one SQLite file: WAL, and every commit synced to the disk before it is answered. NODE. */
import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as sleep } from 'node:timers/promises'
import { Kysely } from 'kysely'
import { createGroup, UnitFault } from './group.ts'
import { guarded } from './guard.ts'
import { createListeners } from './listeners.ts'
import { migrateToLatest } from './migrations.ts'
import type { Run } from './query.ts'
import type { Tables } from './schema.ts'
import type { TxSettings } from './sql-changes.ts'
import { createOutbox } from './sql-outbox.ts'
import { createQueries } from './sql-queries.ts'
import { createReads } from './sql-reads.ts'
import { createTx } from './sql-tx.ts'
import { nodeSqliteDialect } from './sqlite-dialect.ts'
import { createRun } from './sqlite-run.ts'
import type { Committed, Store, Tx } from './store.ts'

export type SqliteOptions = {
  /** A path, or `:memory:`. */
  file: string
} & TxSettings

/** Opens the file, making it and its folder where there is none, and brings its tables up to date. */
export async function openSqliteStore({ file, ...settings }: SqliteOptions): Promise<Store> {
  if (file !== ':memory:') mkdirSync(dirname(file), { recursive: true })
  const database = new DatabaseSync(file)
  // The driver waits for a lock with the event loop standing still: it waits next to nothing, and `begin` below does the rest.
  // What is erased is overwritten: an openid must not be found in the file's free pages.
  database.exec(
    'PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA busy_timeout = 20; PRAGMA secure_delete = ON; PRAGMA cache_size = -32000',
  )
  const db = new Kysely<Tables>({ dialect: nodeSqliteDialect(database) })
  await migrateToLatest(db, 'sqlite')

  const run = createRun(database)
  const queries = createQueries(db)
  const listeners = createListeners()

  /** Kysely gives its one connection to one at a time: nobody else reads or writes inside a transaction. */
  const alone: <T>(work: () => Promise<T>) => Promise<T> = (work) => db.connection().execute(work)

  async function runAll(works: ((tx: Tx) => Promise<unknown>)[]): Promise<unknown[]> {
    const touched = new Map<number, Committed>()
    const results = await alone(async () => {
      await begin(run)
      try {
        const done: unknown[] = []
        for (const [index, work] of works.entries()) {
          const unit = work(createTx(run, queries, settings, touched))
          done.push(
            await unit.catch((cause) => {
              throw new UnitFault(index, cause)
            }),
          )
        }
        await run('commit', [])
        return done
      } catch (error) {
        // After some faults (a full disk) SQLite has rolled back by itself, and says so.
        await run('rollback', []).catch(() => {})
        throw error
      }
    })
    listeners.tell(touched.values())
    return results
  }

  const group = createGroup<Tx>(runAll)
  return {
    ...createReads(
      db,
      { read: (...query) => alone(() => run(...query)), write: (...query) => group.write(() => run(...query)) },
      guarded,
      'sqlite',
    ),
    outbox: createOutbox(db, guarded),
    write: (work) => guarded(group.write(work)),
    onCommit: listeners.add,
    async close() {
      await group.idle()
      await db.destroy()
    },
  }
}

const SQLITE_BUSY = 5

// A backup or a second process may hold the lock for a moment; longer is a fault that a callback must hear of.
const LOCK_WITHIN_MS = 1_000

/** Takes the one writer's lock; while another process has it, the event loop goes on. */
async function begin(run: Run): Promise<void> {
  for (const giveUpAt = Date.now() + LOCK_WITHIN_MS; ; ) {
    try {
      await run('begin immediate', [])
      return
    } catch (error) {
      if ((error as { errcode?: number }).errcode !== SQLITE_BUSY || Date.now() > giveUpAt) throw error
      await sleep(10)
    }
  }
}
