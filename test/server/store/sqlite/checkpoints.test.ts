import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createCheckpoints } from '../../../../server/store/sqlite/checkpoints.ts'

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

  /** Whether it had nobody to wait for: no thread answers before the event loop turns. */
  async function isOver(wait: Promise<void>): Promise<boolean> {
    let over = false
    void wait.then(() => {
      over = true
    })
    for (let i = 0; i < 10; i++) await undefined
    return over
  }

  /** A database that nothing else copies, and a wait for its log's end. */
  async function openLong() {
    const file = join(folder, 'a.db')
    const database = new DatabaseSync(file)
    database.exec('pragma journal_mode = wal; pragma wal_autocheckpoint = 0; create table t (text)')
    const insert = database.prepare('insert into t values (?)')
    const checkpoints = createCheckpoints(file, 1)
    for (;;) {
      checkpoints.wrote(250)
      insert.run('one')
      const waited = checkpoints.ready()
      if (!(await isOver(waited))) return { file, database, insert, checkpoints, waited }
      await new Promise(setImmediate)
    }
  }

  /** A log's header is written when it begins: https://sqlite.org/fileformat.html#the_write_ahead_log */
  const headerOf = (file: string) => readFileSync(`${file}-wal`).toString('hex', 0, 32)

  test('copies a long log to its end while the writer waits, so that it begins anew', async () => {
    const { file, database, insert, checkpoints, waited } = await openLong()
    const before = headerOf(file)
    await waited
    insert.run('one more')
    expect(headerOf(file)).not.toBe(before)
    await checkpoints.close()
    database.close()
  })

  test('does not keep a writer waiting while a reader holds the log', async () => {
    const { file, database, insert, checkpoints, waited } = await openLong()
    await waited
    const reader = new DatabaseSync(file)
    reader.exec('begin; select * from t')
    insert.run('one more')
    checkpoints.wrote(250)
    await checkpoints.ready()
    expect(await isOver(checkpoints.ready())).toBe(true)
    await checkpoints.close()
    reader.close()
    database.close()
  })

  test('is not waited for once it is closed', async () => {
    const { database, checkpoints, waited } = await openLong()
    const again = checkpoints.ready()
    await checkpoints.close()
    await expect(Promise.all([waited, again, checkpoints.ready()])).resolves.toBeDefined()
    database.close()
  })

  test('holds a process while it is waited for, and no longer', async () => {
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
          checkpoints.wrote(250)
          await checkpoints.ready()
        }
      }
      await Promise.all([closed.ready(), closed.ready(), closed.close()])
      console.log('done')`
    const file = join(folder, 'script.mjs')
    writeFileSync(file, script)
    const { stdout } = await promisify(execFile)(process.execPath, [file, join(folder, 'a.db')], { timeout: 4_000 })
    expect(stdout).toBe('done\n')
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
