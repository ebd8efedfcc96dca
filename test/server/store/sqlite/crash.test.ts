/** A binding is durable once its callback was answered. It still exists after the server was killed at a random moment and restarted. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { killInRounds } from '../../../support/crash-rounds.ts'

const ROUNDS = 20

const folder = mkdtempSync(join(tmpdir(), 'wechat-bind-'))
afterAll(() => rmSync(folder, { recursive: true }))

describe('a server that is killed', () => {
  test(`keeps every callback it answered in SQLite, in ${ROUNDS} rounds`, { timeout: 240_000 }, async () => {
    const { answered, lost } = await killInRounds(`sqlite:${join(folder, 'bind.db')}`, ROUNDS)
    expect(answered.length).toBeGreaterThan(ROUNDS)
    expect(lost).toEqual([])
  })
})
