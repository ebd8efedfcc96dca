/** `npm run simulate -- --seed N --steps M --sequences K` */
import { parseArgs } from 'node:util'
import { simulate } from './simulate.ts'
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
if (found) {
  const { settings, chance, steps } = found.story
  console.log(`seed ${run.seed}: ${found.message}\n`)
  console.log(`{\n  settings: ${JSON.stringify(settings)},\n  chance: ${chance},\n  steps: [`)
  for (const step of steps) console.log(`    ${JSON.stringify(step)},`)
  console.log('  ],\n}')
}
console.log(`${stepsTaken} steps in ${seconds} s`)
process.exit(found ? 1 : 0)
