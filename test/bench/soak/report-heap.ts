/**
 * The measured server loads this file with `--import`. After the message `heap`, it sends the memory in use after a
 * garbage collection. Any other message is the name of a file into which it writes a heap snapshot.
 */
import { writeHeapSnapshot } from 'node:v8'
import { isMainThread } from 'node:worker_threads'

// The checkpoint thread of SQLite also loads this file, and must not run this code.
if (isMainThread && process.send) {
  const { heldBytes } = await import('../../support/heap.ts')
  process.on('message', async (order: string) => {
    if (order === 'heap') process.send?.(await heldBytes())
    else process.send?.(writeHeapSnapshot(order))
  })
  // If the bench is aborted, the server must end, too.
  process.on('disconnect', () => process.exit(1))
}
