import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, describe, expect, test } from 'vitest'
import { openSqliteStore } from '../../../server/store/sqlite.ts'
import { storeContract } from './store-contract.ts'

const settings = { hashOf: (...parts: string[]) => JSON.stringify(parts), hasWebhook: () => true }
const folder = mkdtempSync(join(tmpdir(), 'wechat-bind-'))
afterAll(() => rmSync(folder, { recursive: true }))

let files = 0
const newFile = () => join(folder, 'made', `${++files}.db`)

storeContract(() => openSqliteStore({ file: newFile(), ...settings }))

describe('openSqliteStore', () => {
  test('keeps everything across a restart', async () => {
    const file = newFile()
    const first = await openSqliteStore({ file, ...settings })
    expect(await first.write((tx) => tx.spend('k|j', 1))).toBe(true)
    await first.close()
    const second = await openSqliteStore({ file, ...settings })
    expect(await second.write((tx) => tx.spend('k|j', 1))).toBe(false)
    await second.close()
  })

  test('writes ahead to a log, so that a backup can read beside it', async () => {
    const file = newFile()
    const store = await openSqliteStore({ file, ...settings })
    const database = new DatabaseSync(file)
    expect(database.prepare('pragma journal_mode').get()).toEqual({ journal_mode: 'wal' })
    database.close()
    await store.ping()
    await store.close()
  })

  test('refuses a file that is no database with a fault, not with a new file', async () => {
    const file = join(folder, 'not-a-database')
    writeFileSync(file, 'this is not a database, and long enough to be seen as none')
    await expect(openSqliteStore({ file, ...settings })).rejects.toThrow()
  })
})
