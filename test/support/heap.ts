/** Measures the memory in use after a garbage collection. */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

/** The memory in bytes. The turns of the event loop between collections run pending callbacks, so that their memory is freed. */
export async function heldBytes(): Promise<number> {
  for (let i = 0; i < 3; i++) {
    collect()
    await new Promise(setImmediate)
  }
  collect()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}
