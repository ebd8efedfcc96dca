/** The store in one SQLite file: WAL, and every commit synced to the disk before it is answered. NODE. */
import { mkdirSync, realpathSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as sleep } from 'node:timers/promises'
import { Kysely } from 'kysely'
import { type Run, runPlan } from '../plan.ts'
import type { TxSettings } from '../sql/changes.ts'
import { createListeners } from '../sql/commit-listeners.ts'
import { asStoreError, type Guard } from '../sql/engine-errors.ts'
import { migrateToLatest } from '../sql/migrations.ts'
import { createOutbox } from '../sql/outbox-queries.ts'
import { createQueries } from '../sql/queries.ts'
import { createReads } from '../sql/reads.ts'
import { createSweep } from '../sql/sweep.ts'
import type { Tables } from '../sql/tables.ts'
import { createUnionidQueue } from '../sql/unionid-queue.ts'
import { SqlTx } from '../sql/unit-of-work.ts'
import type { Committed, Store, UnitOfWork } from '../store.ts'
import { createCheckpoints, LONGEST } from './checkpoints.ts'
import { nodeSqliteDialect } from './dialect.ts'
import { createFsync } from './fsync.ts'
import { type Batch, createGroup, UnitFault } from './group-commit.ts'
import { createRun } from './run.ts'

// Another process that starts or ends on the same file is done within this.
const START_WITHIN_MS = 5_000

// Address space: 1 GiB, which some four million bindings fill.
const MAPPED = 2 ** 30

type SqliteOptions = {
  /** A path, or `:memory:`. */
  file: string
} & TxSettings

/** Opens the file, making it and its folder where there is none, and brings its tables up to date. */
export async function openSqliteStore({ file, ...settings }: SqliteOptions): Promise<Store> {
  if (file !== ':memory:') mkdirSync(dirname(file), { recursive: true })
  const database = new DatabaseSync(file)
  // NORMAL leaves the sync of a commit to us, who do it beside the event loop: https://sqlite.org/pragma.html#pragma_synchronous
  // What is erased is overwritten: an openid must not be found in the file's free pages.
  // Mapped, a page of millions of rows costs a tenth of a read; it is the system's cache, and no memory of ours.
  const configure = () =>
    database.exec(
      `PRAGMA busy_timeout = ${START_WITHIN_MS}; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA secure_delete = ON; PRAGMA cache_size = -32000; PRAGMA mmap_size = ${MAPPED}; PRAGMA wal_autocheckpoint = ${LONGEST}`,
    )
  // Who turns a new file to WAL while another does so, too, is refused at once, whatever the timeout.
  await whileLocked(configure, START_WITHIN_MS)
  const db = new Kysely<Tables>({ dialect: nodeSqliteDialect(database) })
  await migrateToLatest(db, 'sqlite')
  // The driver waits for a lock with the event loop standing still: it waits next to nothing, and `begin` below does the rest.
  database.exec('PRAGMA busy_timeout = 20')
  // Where the file is a link, SQLite keeps the log beside what it leads to.
  const wal = file === ':memory:' ? undefined : await open(`${realpathSync(file)}-wal`, 'r+')

  const checkpoints = file === ':memory:' ? undefined : createCheckpoints(file)
  const run = createRun(database)
  const queries = createQueries(db)
  const listeners = createListeners()
  const { synced, assertHealthy } = createFsync(async () => wal?.datasync())

  /** In one turn of the event loop: nobody else reads or writes inside a transaction. */
  function transact(works: UnitOfWork[]): Batch {
    // Whoever reads would see what is refused, and may be gone tomorrow.
    assertHealthy()
    const touched = new Map<number, Committed>()
    const tx = new SqlTx(queries, settings, touched)
    run(BEGIN)
    try {
      const results = works.map((work, index) => {
        try {
          return runPlan(work(tx), run)
        } catch (error) {
          throw isOfEngine(error) ? error : new UnitFault(index, error)
        }
      })
      run(COMMIT)
      checkpoints?.wrote(works.length)
      return { results, whenDurable: () => listeners.tell(touched.values()) }
    } catch (error) {
      undo(run)
      throw error
    }
  }

  async function commit(works: UnitOfWork[]): Promise<Batch> {
    await checkpoints?.ready()
    return whileLocked(() => transact(works))
  }

  /** Rows that are written past the group: whoever writes more waits for this. */
  async function wrote(rows: number): Promise<void> {
    checkpoints?.wrote(rows)
    await checkpoints?.ready()
  }

  const guardedWrite: Guard = async (result) => {
    const value = await asStoreError(result)
    await wrote(1)
    return value
  }

  const group = createGroup({ commit, synced })
  const reads = createReads(db, async (plan) => runPlan(plan, run), asStoreError)
  return {
    ...reads,
    unionids: createUnionidQueue(db, (plan) => group.write(plan), asStoreError, 'sqlite'),
    sweep: createSweep(db, asStoreError, 'sqlite', wrote),
    outbox: createOutbox(db, asStoreError, guardedWrite),
    write: (work) => asStoreError(group.write(work)),
    onCommit: listeners.add,
    ping: () => asStoreError(reads.ping().then(assertHealthy)),
    async close() {
      await group.idle()
      await checkpoints?.close()
      await wal?.close()
      await db.destroy()
    },
  }
}

const BEGIN = { text: 'begin immediate', values: [] }
const COMMIT = { text: 'commit', values: [] }
const ROLLBACK = { text: 'rollback', values: [] }

const SQLITE_BUSY = 5
const SQLITE_CONSTRAINT = 19

/** The low byte of SQLite's extended result code. */
const errcodeOf = (error: unknown) => ((error as { errcode?: number }).errcode ?? 0) & 0xff

/** A full disk, say: it is not the unit that is to blame. */
const isOfEngine = (error: unknown) => ![0, SQLITE_CONSTRAINT].includes(errcodeOf(error))

// A backup or a second process may hold the lock for a moment; longer is a fault that a callback must hear of.
const LOCK_WITHIN_MS = 1_000

/** Tries again while another process has the one writer's lock; the event loop goes on. */
async function whileLocked<T>(attempt: () => T, withinMs = LOCK_WITHIN_MS): Promise<T> {
  for (const giveUpAt = Date.now() + withinMs; ; await sleep(10)) {
    try {
      return attempt()
    } catch (error) {
      if (errcodeOf(error) !== SQLITE_BUSY || Date.now() > giveUpAt) throw error
    }
  }
}

function undo(run: Run): void {
  try {
    run(ROLLBACK)
  } catch {
    // After some faults (a full disk) SQLite has rolled back by itself, and says so.
  }
}
