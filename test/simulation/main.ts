/** `npm run simulate -- --seed N --steps M --sequences K` */
import { parseArgs } from 'node:util'
import { show, simulate } from './simulate.ts'
import { openSqliteDatabase } from './world/store.ts'

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    steps: { type: 'string', default: '300' },
    sequences: { type: 'string', default: '100' },
  },
})
const run = { seed: Number(values.seed), steps: Number(values.steps), sequences: Number(values.sequences) }
const database = await openSqliteDatabase()
const startedAt = performance.now()
const { stepsTaken, found } = await simulate(database, run)
const seconds = ((performance.now() - startedAt) / 1000).toFixed(1)
if (found) console.log(show(found))
console.log(`${stepsTaken} steps in ${seconds} s`)
process.exit(found ? 1 : 0)
