/**
 * Loaded into the soaked server by `--import`. On the message `heap` it sends the memory in use after a garbage collection. Any other
 * message is the name of a file, to which it writes a heap snapshot.
 */
import { writeHeapSnapshot } from 'node:v8'
import { isMainThread } from 'node:worker_threads'

// The checkpoint thread of SQLite loads this file, too.
if (isMainThread && process.send) {
  const { heldBytes } = await import('../../support/heap.ts')
  process.on('message', async (order: string) => {
    if (order === 'heap') process.send?.(await heldBytes())
    else process.send?.(writeHeapSnapshot(order))
  })
  // The server must not outlive an aborted bench.
  process.on('disconnect', () => process.exit(1))
}
