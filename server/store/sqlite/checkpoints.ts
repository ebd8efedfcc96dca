/**
 * Copies the log into SQLite's file beside the event loop. Among millions of rows every page lies elsewhere, and the checkpoint
 * that SQLite makes after some commit stood still for 20 to 50 ms, once in fifteen groups. NODE.
 */
import { Worker } from 'node:worker_threads'

type Checkpoints = {
  /** To be told of what was written: units, or rows of what goes past them. Never throws: it is on the disk already. */
  wrote(units: number): void
  /**
   * Resolves when the log may be written to: at once, or when one that has become long is copied to its end. Only then it begins
   * anew, and while it is written to, nobody else ever reaches its end.
   */
  ready(): Promise<void>
  /** Resolves when no more is copied. */
  close(): Promise<void>
}

// A unit writes one to two pages: few enough that the disk is soon done with them, and the log's own sync waits little.
const EVERY_UNITS = 250

/** Pages of 4 KiB. SQLite's own checkpoint, on the event loop, begins at `LONGEST`: where the thread cannot do its work. */
const LONG = 4_000
export const LONGEST = 4 * LONG

// As text: who bundles the server has no second file to carry along.
const THREAD = `
  const { parentPort, workerData } = require('node:worker_threads')
  const { DatabaseSync } = require('node:sqlite')
  const database = new DatabaseSync(workerData)
  database.exec('PRAGMA synchronous = NORMAL')
  const checkpoint = database.prepare('PRAGMA wal_checkpoint(PASSIVE)')
  parentPort.on('message', () => parentPort.postMessage(checkpoint.get().log))
`

/** The thread begins when it is needed: a server that idles does without. `long`: pages. */
export function createCheckpoints(file: string, long = LONG): Checkpoints {
  let units = 0
  let isLong = false
  let isClosed = false
  let thread: Worker | undefined
  let underway: PromiseWithResolvers<void> | undefined

  function start(): Worker {
    const started = new Worker(THREAD, { eval: true, workerData: file, resourceLimits: { maxOldGenerationSizeMb: 16 } })
    started.on('message', (pages: number) => end(pages >= long))
    // A fault of the disk is for the next commit to meet; another thread tries again, and SQLite's own checkpoint remains.
    started.on('error', () => {})
    started.on('exit', () => {
      thread = undefined
      end(false)
    })
    return started
  }

  /** Resolves when the log is copied as far as may be. It holds the process only until then. */
  function begin(): Promise<void> {
    if (isClosed) return Promise.resolve()
    if (underway) return underway.promise
    try {
      thread ??= start()
    } catch {
      // No thread is to be had just now.
      return Promise.resolve()
    }
    underway = Promise.withResolvers()
    thread.ref()
    thread.postMessage('checkpoint')
    return underway.promise
  }

  function end(wasLong: boolean): void {
    isLong = wasLong
    underway?.resolve()
    underway = undefined
    if (!isClosed) thread?.unref()
  }

  return {
    wrote(more) {
      units += more
      if (units < EVERY_UNITS) return
      units = 0
      void begin()
    },
    async ready() {
      if (!isLong) return
      await underway?.promise
      await begin()
      // A backup that reads may have stopped it short: not waited for again before as much has been written.
      isLong = false
    },
    async close() {
      isClosed = true
      await thread?.terminate()
      end(false)
    },
  }
}
