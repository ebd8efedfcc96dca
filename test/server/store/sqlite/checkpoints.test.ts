import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createCheckpoints } from '../../../../server/store/sqlite/checkpoints.ts'
import { openSqliteStore } from '../../../../server/store/sqlite/sqlite-store.ts'
import { newBinding } from '../../../support/rows.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'wechat-bind-checkpoints-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

describe('createCheckpoints', () => {
  test('copies the WAL into the database file outside the event loop, while the writer continues', async () => {
    const file = join(folder, 'a.db')
    const database = new DatabaseSync(file)
    // SQLite's own checkpoints are off, so only the thread can copy the WAL.
    database.exec('pragma journal_mode = wal; pragma wal_autocheckpoint = 0; create table t (text)')
    const insert = database.prepare('insert into t values (?)')
    const checkpoints = createCheckpoints(file)
    const before = statSync(file).size
    for (let i = 0; i < 250; i++) {
      insert.run('x'.repeat(1000))
      checkpoints.countWrites(1)
    }
    while (statSync(file).size === before) await new Promise(setImmediate)
    insert.run('one more')
    await checkpoints.close()
    expect(database.prepare('select count(*) as n from t').get()).toEqual({ n: 251 })
    database.close()
  })

  /** Whether the promise resolves without the thread, whose messages arrive only in another turn of the event loop. */
  async function isSettled(promise: Promise<void>): Promise<boolean> {
    let settled = false
    void promise.then(() => {
      settled = true
    })
    for (let i = 0; i < 10; i++) await undefined
    return settled
  }

  /** A database with a long WAL, and the pending promise of `waitWhileLong`. */
  async function openLong() {
    const file = join(folder, 'a.db')
    const database = new DatabaseSync(file)
    database.exec('pragma journal_mode = wal; pragma wal_autocheckpoint = 0; create table t (text)')
    const insert = database.prepare('insert into t values (?)')
    const checkpoints = createCheckpoints(file, 1)
    for (;;) {
      checkpoints.countWrites(250)
      insert.run('one')
      const waiting = checkpoints.waitWhileLong()
      if (!(await isSettled(waiting))) return { file, database, insert, checkpoints, waiting }
      await new Promise(setImmediate)
    }
  }

  /** SQLite writes a new header when it restarts the WAL: https://sqlite.org/fileformat.html#the_write_ahead_log */
  const headerOf = (file: string) => readFileSync(`${file}-wal`).toString('hex', 0, 32)

  test('copies a long WAL completely while the writer waits, so that SQLite restarts it', async () => {
    const { file, database, insert, checkpoints, waiting } = await openLong()
    const before = headerOf(file)
    await waiting
    insert.run('one more')
    expect(headerOf(file)).not.toBe(before)
    await checkpoints.close()
    database.close()
  })

  test('makes the writer wait for a checkpoint that is slow enough for the WAL to become long', async () => {
    const file = join(folder, 'a.db')
    const database = new DatabaseSync(file)
    database.exec('pragma journal_mode = wal; pragma wal_autocheckpoint = 0; create table t (text)')
    const checkpoints = createCheckpoints(file, 1_000)
    const before = statSync(file).size
    const insert = database.prepare('insert into t values (?)')
    for (let i = 0; i < 10; i++) insert.run('x'.repeat(4_000))
    checkpoints.countWrites(250)
    checkpoints.countWrites(999)
    expect(await isSettled(checkpoints.waitWhileLong())).toBe(true)
    checkpoints.countWrites(1)
    const waiting = checkpoints.waitWhileLong()
    expect(await isSettled(waiting)).toBe(false)
    await waiting
    expect(statSync(file).size).toBeGreaterThan(before)
    await checkpoints.close()
    database.close()
  })

  test('does not make the writer wait again while a reader keeps the checkpoint from completing', async () => {
    const { file, database, insert, checkpoints, waiting } = await openLong()
    await waiting
    const reader = new DatabaseSync(file)
    reader.exec('begin; select * from t')
    insert.run('one more')
    checkpoints.countWrites(250)
    await checkpoints.waitWhileLong()
    expect(await isSettled(checkpoints.waitWhileLong())).toBe(true)
    await checkpoints.close()
    reader.close()
    database.close()
  })

  test('resolves every wait when it is closed', async () => {
    const { database, checkpoints, waiting } = await openLong()
    const again = checkpoints.waitWhileLong()
    await checkpoints.close()
    await expect(Promise.all([waiting, again, checkpoints.waitWhileLong()])).resolves.toBeDefined()
    database.close()
  })

  test('keeps the process running only while a checkpoint is awaited', async () => {
    const script = `
      const { DatabaseSync } = await import('node:sqlite')
      const { createCheckpoints } = await import(${JSON.stringify(new URL('../../../../server/store/sqlite/checkpoints.ts', import.meta.url))})
      const [, , file] = process.argv
      const database = new DatabaseSync(file)
      database.exec('pragma journal_mode = wal; create table t (text)')
      const open = createCheckpoints(file, 1)
      const closed = createCheckpoints(file, 1)
      for (let i = 0; i < 100; i++) {
        for (const checkpoints of [open, closed]) {
          database.exec("insert into t values ('one')")
          checkpoints.countWrites(250)
          await checkpoints.waitWhileLong()
        }
      }
      await Promise.all([closed.waitWhileLong(), closed.waitWhileLong(), closed.close()])
      console.log('done')`
    const file = join(folder, 'script.mjs')
    writeFileSync(file, script)
    const { stdout } = await promisify(execFile)(process.execPath, [file, join(folder, 'a.db')], { timeout: 60_000 })
    expect(stdout).toBe('done\n')
  })

  test('continues after an error of its thread', async () => {
    const checkpoints = createCheckpoints(join(folder, 'no folder', 'a.db'))
    checkpoints.countWrites(250)
    await expect(checkpoints.close()).resolves.toBeUndefined()
    checkpoints.countWrites(250)
    await expect(checkpoints.waitWhileLong()).resolves.toBeUndefined()
    await expect(checkpoints.close()).resolves.toBeUndefined()
  })
})

test('a store copies its WAL after a few units of background work, because each of them changes many rows', async () => {
  const file = join(folder, 'a.db')
  const store = await openSqliteStore({ file, hashOf: (...parts) => parts.join('|'), hasWebhook: () => false })
  const before = statSync(file).size
  for (let unit = 0; unit < 4; unit++) {
    const lines = Array.from({ length: 200 }, (_, i) => ({
      identity: { tenant: 'default', account: 'acme', userId: `${unit}-${i}` },
      binding: newBinding(`o${unit}-${i}`),
    }))
    await store.write((tx) => tx.bindAll(lines, 'import', 1), { onTook: () => {} })
  }
  while (statSync(file).size === before) await new Promise(setImmediate)
  expect(statSync(file).size).toBeGreaterThan(before)
  await store.close()
})
