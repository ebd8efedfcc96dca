import { closeSync, mkdtempSync, openSync, readSync, rmSync, statSync } from 'node:fs'
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
      checkpoints.wrote(1)
    }
    while (statSync(file).size === before) await new Promise(setImmediate)
    insert.run('one more')
    await checkpoints.close()
    expect(database.prepare('select count(*) as n from t').get()).toEqual({ n: 251 })
    database.close()
  })

  test('copies a long log to its end while the writer waits, so that it begins anew', async () => {
    const file = join(folder, 'a.db')
    const database = new DatabaseSync(file)
    database.exec('pragma journal_mode = wal; pragma wal_autocheckpoint = 0; create table t (text)')
    const insert = database.prepare('insert into t values (?)')
    const checkpoints = createCheckpoints(file)
    // A log's header is written when it begins: https://sqlite.org/fileformat.html#the_write_ahead_log
    for (let i = 0; i < 4_000; i++) insert.run('x'.repeat(3_000))
    const log = openSync(`${file}-wal`, 'r')
    const header = () => {
      const bytes = Buffer.alloc(32)
      readSync(log, bytes, 0, 32, 0)
      return bytes.toString('hex')
    }
    const first = header()
    let rows = 4_000
    // Written to all the time, as under load: without a pause nobody would reach its end.
    for (; header() === first; rows++) {
      await checkpoints.ready()
      insert.run('one more')
      checkpoints.wrote(1)
      await new Promise(setImmediate)
    }
    await checkpoints.close()
    expect(database.prepare('select count(*) as n from t').get()).toEqual({ n: rows })
    closeSync(log)
    database.close()
  })

  test('outlives a fault of its thread', async () => {
    const checkpoints = createCheckpoints(join(folder, 'no folder', 'a.db'))
    checkpoints.wrote(250)
    await expect(checkpoints.close()).resolves.toBeUndefined()
    checkpoints.wrote(250)
    await expect(checkpoints.ready()).resolves.toBeUndefined()
    await expect(checkpoints.close()).resolves.toBeUndefined()
  })
})
