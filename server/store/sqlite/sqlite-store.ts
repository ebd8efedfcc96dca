/** The store in one SQLite file, in WAL mode. Every commit is synced to the disk before its caller gets the result. Node only. */
import { realpathSync } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { DatabaseSync } from 'node:sqlite'
import { Kysely } from 'kysely'
import type { SetTimer } from '../../platform.ts'
import { type Plan, type Run, runPlan } from '../plan.ts'
import { createCommitListeners } from '../sql/commit-listeners.ts'
import { createConsoleStore } from '../sql/console.ts'
import { asStoreError, type RunWrite } from '../sql/engine-errors.ts'
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
import type { Committed, Store, UnitOfWork } from '../store.ts'
import { BUSY_TIMEOUT_MS, createPatience, errcodeOf, retryWhileBusy, setBusyTimeout } from './busy.ts'
import { AUTOCHECKPOINT_PAGES, backgroundTimer, createCheckpoints } from './checkpoints.ts'
import { nodeSqliteDialect } from './dialect.ts'
import { createFsync } from './fsync.ts'
import { type CommittedBatch, createGroupCommit, UnitError } from './group-commit.ts'
import { watchOtherProcesses } from './other-processes.ts'
import { COMMAND_REST, createPace, MEMORY_REST, SERVER_REST } from './pace.ts'
import { hasLog, restrictFiles } from './private-files.ts'
import { createRun } from './run.ts'

// This time is longer than another process needs to open or close the same file.
const OPEN_TIMEOUT_MS = 5_000

// 1 GiB of address space, which is enough for about four million bindings.
const MMAP_BYTES = 2 ** 30

// A scan changes about eight rows. The checkpoints count units, and a unit of background work changes hundreds of rows. Rows that the
// sweep deletes are further apart in the file, so fewer of them share a page.
const ROWS_OF_A_UNIT = 8
const DELETED_ROWS_OF_A_UNIT = 4

type SqliteOptions = {
  /** A path, or `:memory:`. */
  file: string
  /** The timer of the delay before erased ids are removed from the log. */
  setTimer?: SetTimer | undefined
  /** True for a command: the database file is not memory-mapped, and commits of other processes are not watched. */
  isCommand?: boolean | undefined
} & TxSettings

/** Opens the files of the store. Tests pass a disk whose sync fails. */
type Disk = {
  openDatabase(file: string): DatabaseSync
  /** The write-ahead log, which is synced after each commit. */
  openWal(path: string): Promise<Pick<FileHandle, 'datasync' | 'close'>>
}

const nodeDisk: Disk = {
  openDatabase: (file) => new DatabaseSync(file),
  openWal: (path) => open(path, 'r+'),
}

/** Opens the file, or creates it and its folder, and migrates its tables. */
export async function openSqliteStore(
  { file, setTimer, isCommand, ...settings }: SqliteOptions,
  { openDatabase, openWal }: Disk = nodeDisk,
): Promise<Store> {
  const isInMemory = file === ':memory:'
  if (!isInMemory) restrictFiles(file)
  const hasOldLog = !isInMemory && hasLog(file)
  const database = openDatabase(file)
  // synchronous = NORMAL: SQLite does not sync a commit, `createFsync` does: https://sqlite.org/pragma.html#pragma_synchronous
  // secure_delete: SQLite overwrites deleted data, so that no erased openid stays in a free page of the file.
  // mmap_size: with millions of rows a mapped page takes a tenth of the time of a read. The memory is the system's page cache.
  const configure = () =>
    database.exec(
      `PRAGMA busy_timeout = ${OPEN_TIMEOUT_MS}; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA secure_delete = ON; PRAGMA cache_size = -32000; PRAGMA mmap_size = ${isCommand ? 0 : MMAP_BYTES}; PRAGMA wal_autocheckpoint = ${AUTOCHECKPOINT_PAGES}`,
    )
  // Switching to WAL fails with SQLITE_BUSY while another process does the same, whatever busy_timeout says.
  await retryWhileBusy(configure, OPEN_TIMEOUT_MS)
  const db = new Kysely<Tables>({ dialect: nodeSqliteDialect(database, createPatience(database)) })
  await migrateToLatest(db, 'sqlite')
  // A statement that changes many pages otherwise writes their old content to a file in /var/tmp: it blocks the event loop, and openids
  // stay in the free blocks of the disk. Set after the migrations, because a new index may need more memory than the process may use.
  database.exec('PRAGMA temp_store = MEMORY')
  setBusyTimeout(database, BUSY_TIMEOUT_MS)
  // If the file is a symbolic link, SQLite puts the WAL beside the link's target.
  const wal = isInMemory ? undefined : await openWal(`${realpathSync(file)}-wal`)

  const checkpoints = isInMemory ? undefined : createCheckpoints(file, undefined, setTimer)
  // A log that exists belongs to a killed or a running process, and may contain erased ids.
  if (hasOldLog) checkpoints?.noteErasure()
  let isErasing = false
  const txSettings: TxSettings = {
    ...settings,
    onErase() {
      isErasing = true
    },
  }
  const run = createRun(database)
  const totalChanges = database.prepare('select total_changes() as changes')
  const changedRows = () => totalChanges.get()!.changes as number
  const queries = createQueries(db, 'sqlite')
  const listeners = createCommitListeners()
  const stopWatching =
    isInMemory || isCommand
      ? () => {}
      : watchOtherProcesses(database, () => listeners.notify(['missed']), setTimer ?? backgroundTimer)
  const { sync, assertHealthy } = createFsync(async () => wal?.datasync())

  /** Runs in one turn of the event loop, so that no other code can use the connection inside the transaction. */
  function runTransaction(works: UnitOfWork[]): CommittedBatch {
    // Refuses the batch after a failed fsync, because a reader could see rows that a crash would lose.
    assertHealthy()
    const bumped = new Map<number, Committed>()
    const tx = new SqlTx(queries, txSettings, bumped)
    run(BEGIN)
    const startedAt = performance.now()
    const rowsBefore = changedRows()
    try {
      const results = works.map((work, index) => {
        try {
          return runPlan(work(tx), run)
        } catch (error) {
          throw isEngineError(error) ? error : new UnitError(index, error)
        }
      })
      const rows = changedRows() - rowsBefore
      run(COMMIT)
      const tookMs = performance.now() - startedAt
      checkpoints?.countWrites(Math.max(works.length, rows / ROWS_OF_A_UNIT))
      if (isErasing) checkpoints?.noteErasure()
      isErasing = false
      return { results, tookMs, onDurable: () => listeners.notify(bumped.values()) }
    } catch (error) {
      rollBack(run)
      throw error
    }
  }

  async function commit(works: UnitOfWork[]): Promise<CommittedBatch> {
    await checkpoints?.waitWhileLong()
    return retryWhileBusy(() => runTransaction(works))
  }

  /** The sweep awaits this after each batch. */
  async function afterBatch(rows: number, tookMs: number): Promise<void> {
    checkpoints?.countWrites(rows / DELETED_ROWS_OF_A_UNIT)
    pace.note(tookMs)
    await pace.rest()
    await checkpoints?.waitWhileLong()
  }

  const runWrite: RunWrite = async (write) => {
    await checkpoints?.waitWhileLong()
    const value = await asStoreError(write())
    checkpoints?.countWrites(1)
    return value
  }

  const group = createGroupCommit({ commit, sync })
  const pace = createPace(isInMemory ? MEMORY_REST : isCommand ? COMMAND_REST : SERVER_REST)

  /** A caller with `onTook` is a job or a command that changes many rows. */
  const writeGrouped: Store['write'] = async (work, options = {}) => {
    const { onTook } = options
    if (!onTook) return group.write(work, options)
    await pace.rest()
    return group.write(work, {
      ...options,
      onTook(ms) {
        pace.note(ms)
        onTook(ms)
      },
    })
  }
  const sweep = createSweep(db, asStoreError, 'sqlite', afterBatch)
  // A plan runs without a pause, so that no commit comes between its statements.
  const read = async <T>(plan: Plan<T>) => runPlan(plan, run)
  const reads = createReads(db, queries, read, read, asStoreError, settings)
  const write: Store['write'] = (...args) => asStoreError(writeGrouped(...args))
  const readEvents = createEventFeed(
    db,
    async (plan) => runPlan(plan(), run),
    (plan) => group.write(plan),
  )
  return {
    ...reads,
    countAttempt: (...attempt) => write((tx) => tx.countAttempt(...attempt), { isDurableLater: true }),
    unionids: createUnionidQueue(db, (plan) => group.write(plan), write, asStoreError, 'sqlite'),
    events: (feedQuery) => asStoreError(readEvents(feedQuery)),
    async sweep(now) {
      await checkpoints?.waitWhileLong()
      await sweep(now)
    },
    outbox: createOutbox({ db, engine: 'sqlite', asStoreError, write: writeGrouped, runWrite }),
    console: createConsoleStore({
      db,
      engine: 'sqlite',
      read: async (plan) => runPlan(plan(), run),
      write: (plan) => group.write(plan),
      asStoreError,
    }),
    write,
    purgeErased: (before) => purgeErased(write, before),
    onCommit: listeners.add,
    ping: () => asStoreError(reads.ping().then(assertHealthy)),
    async close() {
      stopWatching()
      pace.stop()
      await group.idle()
      const hasErasure = checkpoints?.hasErasure() ?? false
      await checkpoints?.close()
      if (hasErasure) truncateLog(database)
      await wal?.close()
      await db.destroy()
    },
  }
}

/** Empties the log. SQLite deletes the log only when no other process has the file open. */
function truncateLog(database: DatabaseSync): void {
  try {
    database.exec('PRAGMA wal_checkpoint(TRUNCATE)')
  } catch {
    // The disk fails. The next start finds the log and truncates it.
  }
}

const BEGIN = { text: 'begin immediate', values: [] }
const COMMIT = { text: 'commit', values: [] }
const ROLLBACK = { text: 'rollback', values: [] }

const SQLITE_CONSTRAINT = 19

/** No unit has caused this error, for example a full disk. */
const isEngineError = (error: unknown) => ![0, SQLITE_CONSTRAINT].includes(errcodeOf(error))

function rollBack(run: Run): void {
  try {
    run(ROLLBACK)
  } catch {
    // After some errors (a full disk) SQLite has rolled back by itself and refuses this statement.
  }
}
