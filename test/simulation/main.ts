/** `npm run simulate -- --seed N --steps M --sequences K --engine sqlite|postgres` */
import { parseArgs } from 'node:util'
import { startPostgres } from '../support/postgres.ts'
import { show, simulate } from './simulate.ts'
import { openPostgresDatabase } from './world/postgres.ts'
import { openSqliteDatabase } from './world/store.ts'

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    steps: { type: 'string', default: '300' },
    sequences: { type: 'string', default: '100' },
    quick: { type: 'boolean', default: false },
    engine: { type: 'string', default: 'sqlite' },
  },
})
const run = {
  seed: Number(values.seed),
  steps: Number(values.steps),
  sequences: Number(values.sequences),
  isQuick: values.quick,
}
const postgres = values.engine === 'postgres' ? await startPostgres() : undefined
const database = postgres ? await openPostgresDatabase(await postgres.newDatabase()) : await openSqliteDatabase()
const startedAt = performance.now()
const { stepsTaken, found } = await simulate(database, run)
const seconds = ((performance.now() - startedAt) / 1000).toFixed(1)
if (found) console.log(show(found))
console.log(`${stepsTaken} steps in ${seconds} s`)
await database.close()
await postgres?.remove()
process.exit(found ? 1 : 0)
