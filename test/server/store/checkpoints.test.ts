import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createCheckpoints } from '../../../server/store/checkpoints.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'wechat-bind-checkpoints-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

describe('createCheckpoints', () => {
  test('copies the log into the file beside the event loop, and leaves the writer writing', async () => {
    const file = join(folder, 'a.db')
    const database = new DatabaseSync(file)
    // Nothing else may have copied it.
    database.exec('pragma journal_mode = wal; pragma wal_autocheckpoint = 0; create table t (text)')
    const insert = database.prepare('insert into t values (?)')
    const checkpoints = createCheckpoints(file)
    const before = statSync(file).size
    for (let i = 0; i < 250; i++) {
      insert.run('x'.repeat(1000))
      checkpoints.committed(1)
    }
    while (statSync(file).size === before) await new Promise(setImmediate)
    insert.run('one more')
    await checkpoints.close()
    expect(database.prepare('select count(*) as n from t').get()).toEqual({ n: 251 })
    database.close()
  })

  test('outlives a fault of its thread', async () => {
    const checkpoints = createCheckpoints(join(folder, 'no folder', 'a.db'))
    checkpoints.committed(250)
    await expect(checkpoints.close()).resolves.toBeUndefined()
    checkpoints.committed(250)
    await expect(checkpoints.close()).resolves.toBeUndefined()
  })
})
