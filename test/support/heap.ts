/** Measures the memory in use after a garbage collection. */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

/**
 * Returns the memory in use, in bytes. Between two collections, the event loop runs pending callbacks, so that the next
 * collection frees their memory.
 */
export async function heldBytes(): Promise<number> {
  for (let i = 0; i < 3; i++) {
    collect()
    await new Promise(setImmediate)
  }
  collect()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}
