/**
 * The checkpoint thread: copies SQLite's write-ahead log (WAL) into the database file, outside the event loop. NODE.
 *
 * Steps:
 * 1. `countWrites` counts the written units and rows. After every `CHECKPOINT_INTERVAL` of them a worker thread with its own
 *    connection runs `wal_checkpoint(PASSIVE)`, which copies pages while the server goes on writing.
 * 2. SQLite restarts the WAL from its beginning only when all of it has been copied. Under constant writes a passive checkpoint
 *    never reaches the end, so the file would keep growing. When a checkpoint reports a WAL of `LONG_WAL_PAGES` or more, the next
 *    commit waits in `waitWhileLong` until one more checkpoint has run. The next write then restarts the WAL.
 * 3. A checkpoint takes long on a busy processor or disk. Once `LONG_WAL_PAGES` writes have been counted during one checkpoint, the
 *    next commit waits until that checkpoint has ended.
 *
 * What could go wrong: a reader with an open transaction (a backup) keeps a checkpoint from completing. Commits then do
 * not wait again before the next checkpoint. If the thread fails, the next interval starts another thread, and SQLite's own
 * checkpoint begins at `AUTOCHECKPOINT_PAGES`.
 *
 * The thread exists because SQLite's own checkpoint runs inside a commit. With millions of rows it blocked the event loop for 20 to
 * 50 ms, once in fifteen groups of commits.
 */
import { Worker } from 'node:worker_threads'

type Checkpoints = {
  /** Counts units of work, or rows written outside a unit. Never throws, because the writes are committed already. */
  countWrites(count: number): void
  /** Resolves at once, or after a checkpoint if the WAL is long or a checkpoint takes long. */
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

// The code of the thread is a string, so that a bundled server needs no second file.
const THREAD_SOURCE = `
  const { parentPort, workerData } = require('node:worker_threads')
  const { DatabaseSync } = require('node:sqlite')
  const database = new DatabaseSync(workerData)
  database.exec('PRAGMA synchronous = NORMAL')
  const checkpoint = database.prepare('PRAGMA wal_checkpoint(PASSIVE)')
  parentPort.on('message', () => parentPort.postMessage(checkpoint.get().log))
`

/** The first checkpoint starts the thread, so an idle server has no thread. */
export function createCheckpoints(file: string, longWalPages = LONG_WAL_PAGES): Checkpoints {
  let writes = 0
  let writesWhileRunning = 0
  let isLong = false
  let isClosed = false
  let thread: Worker | undefined
  let running: PromiseWithResolvers<void> | undefined

  function startThread(): Worker {
    const options = { eval: true, workerData: file, resourceLimits: { maxOldGenerationSizeMb: 16 } }
    const worker = new Worker(THREAD_SOURCE, options)
    worker.on('message', (walPages: number) => finish(walPages >= longWalPages))
    // The error is ignored, because a failing disk also fails the next commit, which reports it. `exit` follows.
    worker.on('error', () => {})
    worker.on('exit', () => {
      thread = undefined
      finish(false)
    })
    return worker
  }

  /** Resolves when the checkpoint has run. The thread keeps the process from ending only until then. */
  function runCheckpoint(): Promise<void> {
    if (isClosed) return Promise.resolve()
    if (running) return running.promise
    try {
      thread ??= startThread()
    } catch {
      // The system has no thread left; the next interval tries again.
      return Promise.resolve()
    }
    running = Promise.withResolvers()
    writesWhileRunning = 0
    thread.ref()
    thread.postMessage('checkpoint')
    return running.promise
  }

  function finish(isWalLong: boolean): void {
    isLong = isWalLong
    running?.resolve()
    running = undefined
    if (!isClosed) thread?.unref()
  }

  return {
    countWrites(count) {
      writes += count
      if (running) writesWhileRunning += count
      if (writes < CHECKPOINT_INTERVAL) return
      writes = 0
      void runCheckpoint()
    },
    async waitWhileLong() {
      // Only the thread can copy the WAL now, because SQLite's own checkpoint cannot get the lock during this one.
      if (writesWhileRunning >= longWalPages) await running?.promise
      if (!isLong) return
      await running?.promise
      await runCheckpoint()
      // The flag is reset even if a reader kept the checkpoint from completing. The next checkpoint sets it again if necessary.
      isLong = false
    },
    async close() {
      isClosed = true
      await thread?.terminate()
      finish(false)
    },
  }
}
