/** The command `npm run simulate`. */
import { parseArgs } from 'node:util'
import { startPostgres } from '../support/postgres.ts'
import { show, simulate } from './simulate.ts'
import { openPostgresDatabase } from './world/postgres.ts'
import { openSqliteDatabase } from './world/store.ts'

const USAGE = `Plays random stories with the server and compares it with a model after every step.

npm run simulate -- [options]

  --seed N         the first random number: the same seed plays the same stories (1)
  --steps M        the greatest number of steps of a story (300)
  --sequences K    the number of stories (100)
  --engine NAME    sqlite or postgres (sqlite)
  --quick          stop at the first story that fails, without shortening it
  --help           print this text

The exit code is 1 if a story fails. The output then has the seed and the shortest story that fails.
To keep the story as a test, add it with a title to test/simulation/stories.ts.
README.md in test/simulation explains more.`

type Options = { seed: number; steps: number; sequences: number; isQuick: boolean; engine: 'sqlite' | 'postgres' }

const toNumber = (name: string, text: string, least: number): number => {
  const number = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN
  if (number >= least) return number
  throw new TypeError(`--${name} must be a whole number from ${least} to 999999999, but is "${text}"`)
}

/** Parses the options. Returns undefined for `--help`. Throws TypeError for a wrong option. */
function parseOptions(args: string[]): Options | undefined {
  const { values } = parseArgs({
    args,
    options: {
      seed: { type: 'string', default: '1' },
      steps: { type: 'string', default: '300' },
      sequences: { type: 'string', default: '100' },
      quick: { type: 'boolean', default: false },
      engine: { type: 'string', default: 'sqlite' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  })
  if (values.help) return undefined
  const { engine } = values
  if (engine !== 'sqlite' && engine !== 'postgres') {
    throw new TypeError(`--engine must be sqlite or postgres, but is "${engine}"`)
  }
  return {
    seed: toNumber('seed', values.seed, 0),
    steps: toNumber('steps', values.steps, 1),
    sequences: toNumber('sequences', values.sequences, 1),
    isQuick: values.quick,
    engine,
  }
}

/** Returns the exit code. */
async function run({ engine, ...options }: Options): Promise<number> {
  const postgres = engine === 'postgres' ? await startPostgres() : undefined
  const database = postgres ? await openPostgresDatabase(await postgres.newDatabase()) : await openSqliteDatabase()
  const startedAt = performance.now()
  const { stepsTaken, found } = await simulate(database, options)
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1)
  if (found) console.log(show(found))
  console.log(`${stepsTaken} steps in ${seconds} s`)
  await database.close()
  await postgres?.remove()
  return found ? 1 : 0
}

function readOptions(): Options | undefined {
  try {
    return parseOptions(process.argv.slice(2))
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${USAGE}`)
    process.exit(2)
  }
}

const options = readOptions()
if (options) process.exit(await run(options))
console.log(USAGE)
