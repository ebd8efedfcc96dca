/**
 * The checkpoint thread: copies SQLite's write-ahead log (WAL) into the database file, outside the event loop. Node only.
 *
 * Steps:
 * 1. `countWrites` counts the written units; background work counts by its rows.
 *    After every `CHECKPOINT_INTERVAL` writes a worker thread with its own
 *    connection runs `wal_checkpoint(PASSIVE)`, which copies pages while the server continues to write.
 * 2. SQLite restarts the WAL from its beginning only when the whole WAL has been copied. Under constant writes a passive checkpoint
 *    never reaches the end, so the file would keep growing. When a checkpoint reports a WAL of `LONG_WAL_PAGES` or more, the next
 *    commit waits in `waitWhileLong` until one more checkpoint has run. The next write then restarts the WAL.
 * 3. A checkpoint takes long on a busy processor or disk. Once `LONG_WAL_PAGES` writes have been counted during one checkpoint, the
 *    next commit waits until that checkpoint has ended.
 * 4. A checkpoint copies pages and leaves the bytes of the WAL in place until later commits overwrite them, so an erased openid
 *    would stay in the file. `ERASE_AFTER_MS` after an erasure (`noteErasure`) the thread runs `wal_checkpoint(PASSIVE)` while
 *    commits continue, and then `wal_checkpoint(TRUNCATE)`, which also empties the file. Writes wait during the second checkpoint,
 *    because it holds SQLite's write lock; it has few pages left to copy.
 *
 * What could go wrong: a reader with an open transaction (a backup) keeps a checkpoint from completing. Commits then do
 * not wait again before the next checkpoint, and the WAL is truncated at the first try after the reader has ended. If the thread
 * fails, the next interval starts another thread, and SQLite's own checkpoint begins at `AUTOCHECKPOINT_PAGES`.
 *
 * The thread exists because SQLite's own checkpoint runs inside a commit. With millions of rows it blocked the event loop for 20 to
 * 50 ms, once in fifteen groups of commits.
 */
import { Worker } from 'node:worker_threads'
import type { SetTimer } from '../../platform.ts'

type Checkpoints = {
  /** Counts units of work. Never throws, because the writes are committed already. */
  countWrites(count: number): void
  /** Call this after a commit that has removed ids. The ids then leave the WAL within a minute. */
  noteErasure(): void
  /** Whether ids of an erasure may still be in the WAL. */
  hasErasure(): boolean
  /** Call before a write. Waits for a checkpoint if the WAL is long or being truncated, or if a checkpoint takes long. */
  waitWhileLong(): Promise<void>
  /** Resolves when the thread has ended. */
  close(): Promise<void>
}

// A unit writes one to two pages. With so few pages per checkpoint the disk is busy only briefly, so the fsync of the WAL
// waits little.
const CHECKPOINT_INTERVAL = 250

// A page has 4 KiB.
const LONG_WAL_PAGES = 4_000
export const AUTOCHECKPOINT_PAGES = 4 * LONG_WAL_PAGES

// This is half of the minute in which erased ids have to leave the WAL. All erasures of this time share one truncation.
const ERASE_AFTER_MS = 30_000

// The pause between tries while another process reads the WAL. Six more tries fit into the minute.
const ERASE_AGAIN_MS = 5_000

// A reader of this process ends within milliseconds. Writes wait at most this long for any other reader.
const TRUNCATE_BUSY_MS = 100

type Mode = 'PASSIVE' | 'TRUNCATE'

/** The row of `PRAGMA wal_checkpoint`: `busy` is 1 when it could not complete, `log` is the WAL's length in pages. */
type Result = { busy: number; log: number }

const UNKNOWN: Result = { busy: 1, log: 0 }

// The code of the thread is a string, so that a bundled server needs no second file.
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

/** The first checkpoint starts the thread, so an idle server has no thread. */
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
    // The error is ignored, because a failing disk also fails the next commit, which reports it. `exit` follows.
    worker.on('error', () => {})
    worker.on('exit', () => {
      thread = undefined
      finish(UNKNOWN)
    })
    return worker
  }

  /**
   * Runs a checkpoint, unless one is running. Resolves when the checkpoint has ended. Until then the thread keeps the process
   * running.
   */
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
    // An erasure that was committed before this line is in the WAL that is now truncated. A later erasure starts a new timer.
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
      // While the thread's checkpoint runs, SQLite's own checkpoint cannot get the lock, so only the thread can copy the WAL.
      if (writesWhileRunning >= longWalPages) await running?.promise
      if (!isLong) return
      await running?.promise
      await runCheckpoint()
      // The flag is reset even if a reader kept the checkpoint from completing. The next checkpoint sets it again if necessary.
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

/** A timer that does not keep the process running. */
export const backgroundTimer: SetTimer = (callback, ms) => {
  const timer = setTimeout(callback, ms).unref()
  return () => clearTimeout(timer)
}
