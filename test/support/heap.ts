/** What is held in memory once the collector has run. */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

/** Bytes. What ends with the turn of the event loop is over. */
export async function heldBytes(): Promise<number> {
  for (let i = 0; i < 3; i++) {
    collect()
    await new Promise(setImmediate)
  }
  collect()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}
