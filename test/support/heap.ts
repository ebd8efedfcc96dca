/** Memory in use after a garbage collection. */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

/** Bytes. The turns of the event loop between collections free what pending callbacks refer to. */
export async function heldBytes(): Promise<number> {
  for (let i = 0; i < 3; i++) {
    collect()
    await new Promise(setImmediate)
  }
  collect()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}
