import { execFile } from 'node:child_process'
import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { mkdir, open } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { promisify } from 'node:util'
import { afterAll, describe, expect, test } from 'vitest'
import { openSqliteStore } from '../../../../server/store/sqlite/sqlite-store.ts'
import { newTicket } from '../../../support/rows.ts'
import { consoleContract } from '../console-contract.ts'
import { outboxContract } from '../outbox-contract.ts'
import { storeContract } from '../store-contract.ts'

const settings = {
  hashOf: (...parts: string[]) => JSON.stringify(parts),
  hasWebhook: (tenant: string) => tenant !== 'quiet',
}
const folder = mkdtempSync(join(tmpdir(), 'wechat-bind-'))
afterAll(() => rmSync(folder, { recursive: true }))

let files = 0
const newFile = () => join(folder, 'made', `${++files}.db`)

const makeStore = () => openSqliteStore({ file: newFile(), ...settings })
storeContract(makeStore)
outboxContract(makeStore)
consoleContract(makeStore)

describe('openSqliteStore', () => {
  test('keeps everything across a restart', async () => {
    const file = newFile()
    const first = await openSqliteStore({ file, ...settings })
    expect(await first.write((tx) => tx.consumeJti('k|j', 1))).toBe(true)
    await first.close()
    const second = await openSqliteStore({ file, ...settings })
    expect(await second.write((tx) => tx.consumeJti('k|j', 1))).toBe(false)
    await second.close()
  })

  test('uses WAL mode, so that a backup can read while the server writes', async () => {
    const file = newFile()
    const store = await openSqliteStore({ file, ...settings })
    const database = new DatabaseSync(file)
    expect(database.prepare('pragma journal_mode').get()).toEqual({ journal_mode: 'wal' })
    database.close()
    await store.ping()
    await store.close()
  })

  test('keeps the WAL below the size at which SQLite blocks the event loop, with writes of every kind', async () => {
    const file = newFile()
    const store = await openSqliteStore({ file, ...settings })
    let longest = 0
    const measuring = setInterval(() => {
      longest = Math.max(longest, statSync(`${file}-wal`).size)
    })
    const text = 'x'.repeat(3_000)
    const recordDeliveries = (from: number, count: number) =>
      Promise.all(
        Array.from({ length: count }, (_, i) => store.write((tx) => tx.recordDelivery(`${from + i}|`, text, 1))),
      )
    const before = statSync(file).size
    await recordDeliveries(0, 500)
    // The database file grows as soon as the checkpoint thread copies pages from the WAL.
    while (statSync(file).size === before) await new Promise(setImmediate)
    // Each delivery writes one page or a little more.
    await recordDeliveries(500, 15_000)
    await store.sweep(2)
    clearInterval(measuring)
    // The limit is in pages of the WAL. SQLite's own checkpoint begins at 16,000.
    expect(longest / 4_120).toBeLessThan(15_500)
    await store.close()
  })

  test('runs checkpoints for writes of the outbox too', async () => {
    const file = newFile()
    const store = await openSqliteStore({ file, ...settings })
    const before = statSync(file).size
    for (let i = 0; i < 250; i++) await store.outbox.unclaim(1, i)
    await expect.poll(() => statSync(file).size, { interval: 1 }).toBeGreaterThan(before)
    await store.close()
  })

  test('opens a symbolic link and puts the WAL beside the target', async () => {
    const file = newFile()
    await (await openSqliteStore({ file, ...settings })).close()
    const link = join(folder, 'link.db')
    symlinkSync(file, link)
    const store = await openSqliteStore({ file: link, ...settings })
    expect(await store.write((tx) => tx.consumeJti('k|j', 1))).toBe(true)
    await store.close()
  })

  test('opens a new file in several processes at once', async () => {
    const script = `
      const { openSqliteStore } = await import(${JSON.stringify(new URL('../../../../server/store/sqlite/sqlite-store.ts', import.meta.url))})
      const store = await openSqliteStore({ file: process.argv[1], hashOf: String, hasWebhook: () => false })
      console.log(await store.write((tx) => tx.consumeJti('k|j', 1)))
      await store.close()`
    const start = async (file: string) =>
      (await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script, file])).stdout.trim()
    for (let round = 0; round < 3; round++) {
      const file = newFile()
      const said = await Promise.all(Array.from({ length: 4 }, () => start(file)))
      expect(said.sort()).toEqual(['false', 'false', 'false', 'true'])
    }
  })

  test('retries when another process is switching the same new file to WAL', async () => {
    const file = newFile()
    await mkdir(dirname(file), { recursive: true })
    const other = new DatabaseSync(file)
    // A process that switches has this lock. Another process gets SQLITE_BUSY at once, whatever busy_timeout says.
    other.exec('begin immediate')
    const opening = openSqliteStore({ file, ...settings })
    expect(other.prepare('pragma journal_mode').get()).toEqual({ journal_mode: 'delete' })
    other.exec('rollback')
    other.close()
    const store = await opening
    expect(await store.write((tx) => tx.consumeJti('k|j', 1))).toBe(true)
    await store.close()
  })

  test('runs all migrations after a first start that was interrupted', async () => {
    const file = newFile()
    await mkdir(dirname(file), { recursive: true })
    const other = new DatabaseSync(file)
    const tables = () => other.prepare("select name from sqlite_schema where type = 'table'").all()
    // A table of this name makes the first migration fail after it has created other tables.
    other.exec('create table outbox (id)')
    await expect(openSqliteStore({ file, ...settings })).rejects.toThrow('table "outbox" already exists')
    expect(tables()).toEqual([{ name: 'outbox' }])
    other.exec('drop table outbox')
    other.close()
    const store = await openSqliteStore({ file, ...settings })
    expect(await store.write((tx) => tx.consumeJti('k|j', 1))).toBe(true)
    await store.close()
  })

  test('fails for a file that is not a database', async () => {
    const file = join(folder, 'not-a-database')
    const text = 'this is not a database, and it is long enough to be recognized as such'
    writeFileSync(file, text)
    await expect(openSqliteStore({ file, ...settings })).rejects.toThrow('file is not a database')
    expect(readFileSync(file, 'utf8')).toBe(text)
  })

  test('rejects all waiting writes when another process keeps the lock, and does not block the event loop while it waits', async () => {
    const file = newFile()
    const store = await openSqliteStore({ file, ...settings })
    const other = new DatabaseSync(file)
    other.exec('begin immediate')
    let turns = 0
    const ticking = setInterval(() => turns++, 10)
    const writes = await Promise.allSettled(['a', 'b', 'c'].map((jti) => store.write((tx) => tx.consumeJti(jti, 1))))
    clearInterval(ticking)
    expect(writes.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected'])
    expect(turns).toBeGreaterThan(5)
    other.exec('rollback')
    other.close()
    expect(await store.write((tx) => tx.consumeJti('a', 1))).toBe(true)
    await store.close()
  })

  test('rejects writes and answers reads while the database is read-only, and recovers without a restart', async () => {
    const file = newFile()
    let database: DatabaseSync | undefined
    const store = await openSqliteStore(
      { file, ...settings },
      {
        openWal: (path) => open(path, 'r+'),
        openDatabase: (path) => {
          database = new DatabaseSync(path)
          return database
        },
      },
    )
    expect(await store.write((tx) => tx.consumeJti('before', 1))).toBe(true)
    // After a disk error, SQLite reports that the database is read-only. This statement causes the same error.
    database!.exec('pragma query_only = on')
    const writes = await Promise.allSettled(['a', 'b'].map((jti) => store.write((tx) => tx.consumeJti(jti, 1))))
    for (const write of writes) {
      expect(write).toMatchObject({
        reason: { code: 'STORE_UNAVAILABLE', cause: { message: expect.stringContaining('readonly') } },
      })
    }
    expect(await store.user({ tenant: 't', account: 'a', userId: 'u' })).toMatchObject({ version: 0 })
    database!.exec('pragma query_only = off')
    expect(await store.write((tx) => tx.consumeJti('a', 1))).toBe(true)
    await store.close()
  })

  test('accepts no write after a failed fsync, and its ping fails', async () => {
    const store = await openSqliteStore(
      { file: newFile(), ...settings },
      {
        openDatabase: (file) => new DatabaseSync(file),
        openWal: async () => ({ datasync: () => Promise.reject(new Error('EIO')), close: async () => {} }),
      },
    )
    const add = (userId: string) =>
      store.write((tx) => tx.addTicket({ tenant: 't', account: 'a', userId }, newTicket(userId), false))
    await store.ping()
    await expect(add('lost')).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE', cause: { message: 'EIO' } })
    const broken = { code: 'STORE_UNAVAILABLE', cause: { message: expect.stringContaining('restart the server') } }
    await expect(add('refused')).rejects.toMatchObject(broken)
    await expect(store.ping()).rejects.toMatchObject(broken)
    // A refused write must not be committed, because a reader could see rows that a crash would lose.
    expect(await store.user({ tenant: 't', account: 'a', userId: 'refused' })).toMatchObject({ id: 0 })
    await store.close()
  })

  test('leaves nothing of an erased openid in the file', async () => {
    const file = newFile()
    const store = await openSqliteStore({ file, ...settings, hashOf: () => 'hash' })
    const identity = { tenant: 't', account: 'a', userId: 'u' }
    const names = { appId: 'wx1', scene: 's', code: 'c', wechatTicket: 't', url: 'u' }
    const ticket = { ...names, label: null, lang: 'en' as const, createdAt: 1, expiresAt: 2 }
    const binding = {
      appId: 'wx1',
      openid: 'oErasedOpenid',
      unionid: null,
      subscribed: true,
      boundAt: 1,
      eventTime: 1,
      label: null,
      lang: 'en' as const,
    }
    await store.write(function* (tx) {
      const { user } = yield* tx.addTicket(identity, ticket, false)
      yield* tx.apply({ type: 'bind', user, binding, reason: 'scan', at: 1 })
    })
    const { id } = await store.user(identity)
    await store.write((tx) => tx.apply({ type: 'unbind', user: id, reason: 'unsubscribe', at: 2 }))
    await store.close()
    expect(readFileSync(file).includes('oErasedOpenid')).toBe(false)
  })

  // A temporary file would keep deleted rows in its free blocks. SQLite would also block the event loop while it writes the file.
  test.skipIf(process.platform !== 'linux')(
    'writes no temporary file for a statement that changes many pages',
    async () => {
      const store = await openSqliteStore({ file: newFile(), ...settings })
      const addAll = { text: INSERT_MANY, values: [] }
      const changeAll = { text: `update jtis set until = 2, jti = jti || 'x'`, values: [] }
      const temporary = await store.write(function* () {
        yield addAll
        yield changeAll
        return openFiles().filter((file) => file.includes('etilqs'))
      })
      expect(temporary).toEqual([])
      await store.close()
    },
  )
})

const INSERT_MANY = `insert into jtis (jti, until)
  with recursive i(n) as (select 1 union all select n + 1 from i where n < 5000) select hex(randomblob(64)), n from i`

/** The open files of this process. A descriptor may be closed while it is read. */
const openFiles = () =>
  readdirSync('/proc/self/fd').flatMap((name) => {
    try {
      return [readlinkSync(`/proc/self/fd/${name}`)]
    } catch {
      return []
    }
  })
