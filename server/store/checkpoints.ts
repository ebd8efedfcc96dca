/**
 * Copies the log into SQLite's file beside the event loop. Among millions of rows every page lies elsewhere, and the checkpoint
 * that SQLite makes after some commit stood still for 20 to 50 ms, once in fifteen groups. NODE.
 */
import { Worker } from 'node:worker_threads'

export type Checkpoints = {
  /** To be told of each commit, and how many units were in it. */
  committed(units: number): void
  /** Resolves when no more is copied. */
  close(): Promise<void>
}

/**
 * A unit writes one to two pages. SQLite's own checkpoint, after a thousand, stays as the one that ends the log, since a log that is
 * always written to is never copied to its end by someone else; it finds most of the pages copied.
 */
const EVERY_UNITS = 250

// As text: who bundles the server has no second file to carry along.
const THREAD = `
  const { parentPort, workerData } = require('node:worker_threads')
  const { DatabaseSync } = require('node:sqlite')
  const database = new DatabaseSync(workerData)
  database.exec('PRAGMA synchronous = NORMAL')
  const checkpoint = database.prepare('PRAGMA wal_checkpoint(PASSIVE)')
  parentPort.on('message', () => checkpoint.get())
`

/** The thread begins when it is needed: a server that idles does without. */
export function createCheckpoints(file: string): Checkpoints {
  let units = 0
  let thread: Worker | undefined

  function start(): Worker {
    const started = new Worker(THREAD, { eval: true, workerData: file, resourceLimits: { maxOldGenerationSizeMb: 16 } })
    started.unref()
    // A fault of the disk is for the next commit to meet; another thread tries again, and SQLite's own checkpoint remains.
    started.on('error', () => {
      if (thread === started) thread = undefined
    })
    return started
  }

  return {
    committed(more) {
      units += more
      if (units < EVERY_UNITS) return
      units = 0
      thread ??= start()
      thread.postMessage('checkpoint')
    },
    async close() {
      await thread?.terminate()
    },
  }
}
