/** Plays random stories, and recorded stories that once found a fault. README.md explains how to read a failure. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { newMigratedDatabase } from '../support/databases.ts'
import { replay, show, simulate } from './simulate.ts'
import { stories } from './stories.ts'
import { openPostgresDatabase } from './world/postgres.ts'
import { type Database, openSqliteDatabase } from './world/store.ts'

const SEEDS = 40
// Of at most 300 steps each, 150 on average.
const SEQUENCES = 2

let database: Database

beforeAll(async () => {
  database = await openSqliteDatabase()
})

afterAll(() => database.close())

// A story that fails is played hundreds of times, to find the shortest one.
describe('simulate', { timeout: 240_000 }, () => {
  test.each(Array.from({ length: SEEDS }, (_, i) => i + 1))(
    'seed %i agrees with the model after every step',
    async (seed) => {
      const { found } = await simulate(database, { seed, steps: 300, sequences: SEQUENCES })
      expect(found && show(found)).toBeUndefined()
    },
  )
})

describe('on PostgreSQL', () => {
  test('three short stories agree with the model', { timeout: 240_000 }, async () => {
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
