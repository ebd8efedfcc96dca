/**
 * Plays random stories, and recorded stories that have found a fault before. README.md explains how to read a failure.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { newMigratedDatabase } from '../support/databases.ts'
import { replay, show, simulate } from './simulate.ts'
import { stories } from './stories.ts'
import { openPostgresDatabase } from './world/postgres.ts'
import { type Database, openSqliteDatabase } from './world/store.ts'

const SEEDS = 40
// A story has at most 300 steps, and 150 on average.
const SEQUENCES = 2

let database: Database

beforeAll(async () => {
  database = await openSqliteDatabase()
})

afterAll(() => database.close())

// The time limit is long, because a failing story is played hundreds of times to find its shortest version.
describe('simulate', { timeout: 240_000 }, () => {
  test.each(Array.from({ length: SEEDS }, (_, i) => i + 1))(
    'finds no difference between server and model after any step, with seed %i',
    async (seed) => {
      const { found } = await simulate(database, { seed, steps: 300, sequences: SEQUENCES })
      expect(found && show(found)).toBeUndefined()
    },
  )
})

describe('on PostgreSQL', () => {
  test('finds no difference between server and model in three short stories', { timeout: 240_000 }, async () => {
    const postgres = await openPostgresDatabase(await newMigratedDatabase())
    try {
      const { found, stepsTaken } = await simulate(postgres, { seed: 1, steps: 60, sequences: 3 })
      expect(found && show(found)).toBeUndefined()
      expect(stepsTaken).toBeGreaterThan(50)
    } finally {
      await postgres.close()
    }
  })
})

describe('replay', () => {
  test.each(Object.entries(stories))('%s', async (_, story) => {
    await expect(replay(database, story)).resolves.toBeUndefined()
  })
})
