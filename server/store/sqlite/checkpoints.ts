/**
 * The checkpoint thread: copies SQLite's write-ahead log (WAL) into the database file, outside the event loop. NODE.
 *
 * Steps:
 * 1. `countWrites` counts the written units and rows. After every `CHECKPOINT_INTERVAL` of them a worker thread with its own
 *    connection runs `wal_checkpoint(PASSIVE)`, which copies pages while the server goes on writing.
 * 2. SQLite restarts the WAL from its beginning only when all of it has been copied. Under constant writes a passive checkpoint
 *    never reaches the end, so the file would keep growing. When a checkpoint reports a WAL of `LONG_WAL_PAGES` or more, the next
 *    commit waits in `waitWhileLong` until one more checkpoint has run; the write after it restarts the WAL.
 * 3. A thread that gets little of the processor or of the disk may take long for one checkpoint. Once `LONG_WAL_PAGES` writes have
 *    been counted during it, the next commit waits until it ends.
 * 4. A checkpoint copies pages and leaves the bytes of the WAL in place until later commits overwrite them, so an erased openid
 *    would stay in the file. `ERASE_AFTER_MS` after an erasure (`noteErasure`) the thread runs `wal_checkpoint(PASSIVE)` while
 *    commits go on, and then `wal_checkpoint(TRUNCATE)`, which also empties the file. Writes wait during the second one, since it
 *    holds SQLite's write lock: it has few pages left to copy.
 *
 * What could go wrong: a reader with an open transaction (a backup) keeps a checkpoint from completing. The wait is then not
 * repeated before the next checkpoint, and the WAL is truncated at the first try after the reader has ended. If the thread fails, the next interval starts another one, and SQLite's own checkpoint
 * begins at `AUTOCHECKPOINT_PAGES`. Worth it: with millions of rows SQLite's own checkpoint, which runs inside a commit, blocked
 * the event loop for 20 to 50 ms, once in fifteen groups of commits.
 */
import { Worker } from 'node:worker_threads'
import type { SetTimer } from '../../platform.ts'

type Checkpoints = {
  /** Counts units of work, or rows written outside one. Never throws: the writes are committed already. */
  countWrites(count: number): void
  /** A commit has removed ids: they are removed from the WAL within a minute. */
  noteErasure(): void
  /** Whether ids of an erasure may still be in the WAL. */
  hasErasure(): boolean
  /** Call before a write. Resolves at once unless the WAL is long or being truncated, or a checkpoint takes long; then after it. */
  waitWhileLong(): Promise<void>
  /** Resolves when the thread has ended. */
  close(): Promise<void>
}

// A unit writes one to two pages. With so few pages per checkpoint the disk is busy only briefly, and the fsync of the WAL waits
// little.
const CHECKPOINT_INTERVAL = 250

// Pages have 4 KiB.
const LONG_WAL_PAGES = 4_000
export const AUTOCHECKPOINT_PAGES = 4 * LONG_WAL_PAGES

// Half of the minute in which erased ids have to leave the WAL. Erasures of this time share one truncation.
const ERASE_AFTER_MS = 30_000

// While another process reads the WAL. Six more tries fit into the minute.
const ERASE_AGAIN_MS = 5_000

// A reader of this process ends within milliseconds. Writes wait at most this long for any other reader.
const TRUNCATE_BUSY_MS = 100

type Mode = 'PASSIVE' | 'TRUNCATE'

/** The row of `PRAGMA wal_checkpoint`: `busy` is 1 when it could not complete, `log` is the WAL's length in pages. */
type Result = { busy: number; log: number }

const UNKNOWN: Result = { busy: 1, log: 0 }

// A string instead of a file, so that a bundled server has no second file.
const THREAD_SOURCE = `
  const { parentPort, workerData } = require('node:worker_threads')
  const { DatabaseSync } = require('node:sqlite')
  const database = new DatabaseSync(workerData)
  database.exec('PRAGMA synchronous = NORMAL; PRAGMA busy_timeout = ${TRUNCATE_BUSY_MS}')
  const checkpoints = {
    PASSIVE: database.prepare('PRAGMA wal_checkpoint(PASSIVE)'),
    TRUNCATE: database.prepare('PRAGMA wal_checkpoint(TRUNCATE)'),
  }
  parentPort.on('message', (mode) => {
    const { busy, log } = checkpoints[mode].get()
    parentPort.postMessage({ busy, log })
  })
`

/** The thread is started by the first checkpoint: an idle server has none. */
export function createCheckpoints(
  file: string,
  longWalPages = LONG_WAL_PAGES,
  setTimer: SetTimer = backgroundTimer,
): Checkpoints {
  let writes = 0
  let writesWhileRunning = 0
  let isLong = false
  let isClosed = false
  let thread: Worker | undefined
  let running: PromiseWithResolvers<Result> | undefined
  let truncation: Promise<unknown> | undefined
  let cancelTimer: (() => void) | undefined

  function startThread(): Worker {
    const options = { eval: true, workerData: file, resourceLimits: { maxOldGenerationSizeMb: 16 } }
    const worker = new Worker(THREAD_SOURCE, options)
    worker.on('message', finish)
    // Ignored: a failing disk also fails the next commit, which reports it. `exit` follows.
    worker.on('error', () => {})
    worker.on('exit', () => {
      thread = undefined
      finish(UNKNOWN)
    })
    return worker
  }

  /** Resolves when the checkpoint has run, or the one that runs already. Only until then the thread keeps the process from ending. */
  function runCheckpoint(mode: Mode = 'PASSIVE'): Promise<Result> {
    if (isClosed) return Promise.resolve(UNKNOWN)
    if (running) return running.promise
    try {
      thread ??= startThread()
    } catch {
      // The system has no thread left; the next interval tries again.
      return Promise.resolve(UNKNOWN)
    }
    running = Promise.withResolvers()
    writesWhileRunning = 0
    thread.ref()
    thread.postMessage(mode)
    return running.promise
  }

  function finish(result: Result): void {
    isLong = result.log >= longWalPages
    running?.resolve(result)
    running = undefined
    if (!isClosed) thread?.unref()
  }

  function truncateIn(ms: number): void {
    if (!isClosed) cancelTimer ??= setTimer(() => void truncate(), ms)
  }

  async function truncate(): Promise<void> {
    await runCheckpoint()
    while (running) await running.promise
    // Not earlier: an erasure that is committed until here is in the WAL that is truncated.
    cancelTimer = undefined
    const truncating = runCheckpoint('TRUNCATE')
    truncation = truncating
    const { busy } = await truncating
    truncation = undefined
    if (busy !== 0) truncateIn(ERASE_AGAIN_MS)
  }

  return {
    countWrites(count) {
      writes += count
      if (running) writesWhileRunning += count
      if (writes < CHECKPOINT_INTERVAL) return
      writes = 0
      void runCheckpoint()
    },
    noteErasure: () => truncateIn(ERASE_AFTER_MS),
    async waitWhileLong() {
      await truncation
      // Nobody else copies the WAL meanwhile: SQLite's own checkpoint gets no lock during this one.
      if (writesWhileRunning >= longWalPages) await running?.promise
      if (!isLong) return
      await running?.promise
      await runCheckpoint()
      // Even if a reader kept the checkpoint from completing: the next one decides again.
      isLong = false
    },
    hasErasure: () => cancelTimer !== undefined || truncation !== undefined,
    async close() {
      isClosed = true
      cancelTimer?.()
      await thread?.terminate()
      finish(UNKNOWN)
    },
  }
}

/** Does not keep the process from ending. */
const backgroundTimer: SetTimer = (callback, ms) => {
  const timer = setTimeout(callback, ms).unref()
  return () => clearTimeout(timer)
}
