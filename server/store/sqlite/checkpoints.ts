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
 *
 * What could go wrong: a reader with an open transaction (a backup) keeps a checkpoint from completing. The wait is then not
 * repeated before the next checkpoint. If the thread fails, the next interval starts another one, and SQLite's own checkpoint
 * begins at `AUTOCHECKPOINT_PAGES`. Worth it: with millions of rows SQLite's own checkpoint, which runs inside a commit, blocked
 * the event loop for 20 to 50 ms, once in fifteen groups of commits.
 */
import { Worker } from 'node:worker_threads'

type Checkpoints = {
  /** Counts units of work, or rows written outside one. Never throws: the writes are committed already. */
  countWrites(count: number): void
  /** Resolves at once unless the WAL is long or a checkpoint takes long; then after a checkpoint. */
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

// A string instead of a file, so that a bundled server has no second file.
const THREAD_SOURCE = `
  const { parentPort, workerData } = require('node:worker_threads')
  const { DatabaseSync } = require('node:sqlite')
  const database = new DatabaseSync(workerData)
  database.exec('PRAGMA synchronous = NORMAL')
  const checkpoint = database.prepare('PRAGMA wal_checkpoint(PASSIVE)')
  parentPort.on('message', () => parentPort.postMessage(checkpoint.get().log))
`

/** The thread is started by the first checkpoint: an idle server has none. */
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
    // Ignored: a failing disk also fails the next commit, which reports it. `exit` follows.
    worker.on('error', () => {})
    worker.on('exit', () => {
      thread = undefined
      finish(false)
    })
    return worker
  }

  /** Resolves when the checkpoint has run. Only until then the thread keeps the process from ending. */
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
      // Nobody else copies the WAL meanwhile: SQLite's own checkpoint gets no lock during this one.
      if (writesWhileRunning >= longWalPages) await running?.promise
      if (!isLong) return
      await running?.promise
      await runCheckpoint()
      // Even if a reader kept the checkpoint from completing: the next one decides again.
      isLong = false
    },
    async close() {
      isClosed = true
      await thread?.terminate()
      finish(false)
    },
  }
}
