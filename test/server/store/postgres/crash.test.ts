/** The test of `../sqlite/crash.test.ts` with PostgreSQL. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { killInRounds } from '../../../support/crash-rounds.ts'
import { type Postgres, startPostgres } from '../../../support/postgres.ts'

const ROUNDS = 20

let postgres: Postgres
beforeAll(async () => {
  postgres = await startPostgres()
}, 60_000)
afterAll(() => postgres.remove(), 30_000)

describe('a server that is killed', () => {
  test(`keeps every callback it answered in PostgreSQL, in ${ROUNDS} rounds`, { timeout: 240_000 }, async () => {
    const { answered, lost } = await killInRounds(await postgres.newDatabase(), ROUNDS)
    expect(answered.length).toBeGreaterThan(ROUNDS)
    expect(lost).toEqual([])
  })
})
