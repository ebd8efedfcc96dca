/** The test of `../sqlite/crash.test.ts` with PostgreSQL. */
import { describe, expect, test } from 'vitest'
import { killInRounds } from '../../../support/crash-rounds.ts'
import { newMigratedDatabase } from '../../../support/databases.ts'

const ROUNDS = 20

describe('a server that is killed', () => {
  test(`keeps every callback it answered in PostgreSQL, in ${ROUNDS} rounds`, { timeout: 240_000 }, async () => {
    const { answered, lost } = await killInRounds(await newMigratedDatabase(), ROUNDS)
    expect(answered.length).toBeGreaterThan(ROUNDS)
    expect(lost).toEqual([])
  })
})
