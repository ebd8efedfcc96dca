import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, describe, expect, test } from 'vitest'
import { runMigrate } from '../../../server/commands/migrate.ts'
import { copyStore } from '../../../server/store/copy-to-postgres.ts'
import { openPostgresStore } from '../../../server/store/postgres/postgres-store.ts'
import { openSqliteStore } from '../../../server/store/sqlite/sqlite-store.ts'
import type { Identity, Store } from '../../../server/store/store.ts'
import { newDatabase } from '../../support/databases.ts'
import { query } from '../../support/postgres.ts'
import { addUser, bindTo, newBinding, newTicket } from '../../support/rows.ts'

const settings = { hashOf: (...parts: string[]) => JSON.stringify(parts), hasWebhook: () => true }
const folder = mkdtempSync(join(tmpdir(), 'wechat-bind-'))
afterAll(() => rmSync(folder, { recursive: true }))

const identityOf = (userId: string): Identity => ({ tenant: 'default', account: '账号 😀 \\ " \'', userId })

/** Adds rows to every table, and more than two batches of users. */
async function fill(store: Store): Promise<void> {
  await store.write(function* (tx) {
    for (let i = 0; i < 2_500; i++) {
      const { user } = yield* tx.addTicket(identityOf(`u${i}`), newTicket(`t${i}`, { label: '标签\n"\\' }), false)
      if (i % 2) continue
      yield* tx.apply({ type: 'bind', user, binding: newBinding(`o${i}`), reason: 'scan', at: 1_700_000_000_000 + i })
    }
    const asked = { user: 1, appId: 'wx1', returnUrl: 'https://a.example/?b#c', createdAt: 1, until: 2 }
    yield* tx.addAuthorization(asked, 'state')
    yield* tx.recordDelivery('a key', '已绑定\u2028', Date.now() + 600_000)
    yield* tx.recordDelivery('none', null, 1)
    yield* tx.consumeJti('jti', 2)
    yield* tx.countAttempt('qr/hour/user/1', 1, 2, 1)
    yield* tx.apply({ type: 'wrongCode', openid: 'o1', at: 3 })
    yield* tx.apply({ type: 'recordUnfollow', appId: 'wx1', openid: 'o1', eventTime: 4, until: 5 })
  })
  const { console } = store
  await console.addSession({ hash: 'h', name: 'alice', tokenHash: 't', until: 2 })
  await console.record({ at: 1, operator: 'alice', action: 'doctor', subject: null })
  await console.saveReport('doctor', { at: 1, operator: 'alice', text: '[]' })
  const counts = { shown: 1, scanned: 1, confirmed: 1, bound: 1, unbound: 1, took: Array(14).fill(1) }
  await console.addFigures({
    figures: [
      { hour: 0, tenant: 'default', ...counts },
      { hour: 0, tenant: 'other', ...counts },
    ],
    errors: [{ hour: 0, errcode: 40001, count: 1, lastAt: 1 }],
    instance: { name: 'i', at: 1, waiting: 0, waitingLimit: 1, callbackAt: null, tokenAt: 1, tokenUntil: 2 },
  })
  await store.outbox.lease('holder', 0, 1)
  await store.events({ tenant: 'default', after: undefined, limit: 1 })
}

async function newFile(name: string): Promise<string> {
  const file = join(folder, name)
  const store = await openSqliteStore({ file, ...settings })
  await fill(store)
  await store.close()
  return file
}

const countOf = async (url: string) =>
  (
    await query<{ n: number }>(
      url,
      'select (select count(*) from users)::int + (select count(*) from bindings)::int as n',
    )
  )[0]?.n

describe('copyStore', () => {
  test('copies every row, and the copy works as a store', async () => {
    const file = await newFile('whole.db')
    const to = await newDatabase()
    const digests = await copyStore({ from: file, to })
    expect(Object.fromEntries(digests.map(({ table, rows }) => [table, rows]))).toEqual({
      users: 2500,
      bindings: 1250,
      tickets: 2500,
      authorizations: 1,
      events: 1250,
      feed_heads: 1,
      deliveries: 2,
      unfollow_tombstones: 1,
      outbox: 1250,
      notices: 0,
      webhook_receivers: 0,
      wrong_codes: 1,
      jtis: 1,
      rate_windows: 1,
      leases: 1,
      console_sessions: 1,
      console_actions: 1,
      figures: 2,
      wechat_errors: 1,
      instances: 1,
      console_reports: 1,
    })
    const [before, after] = [
      await openSqliteStore({ file, ...settings }),
      await openPostgresStore({ url: to, ...settings }),
    ]
    for (const userId of ['u0', 'u1', 'u2498', 'u2499', 'nobody']) {
      expect(await after.user(identityOf(userId))).toEqual(await before.user(identityOf(userId)))
    }
    expect(await after.write((tx) => tx.consumeJti('jti', 2))).toBe(false)
    expect(await after.write((tx) => tx.findDelivery('a key'))).toBe('已绑定\u2028')
    // New ids are greater than the copied ids.
    const user = await addUser(after, identityOf('newcomer'))
    expect(user).toBeGreaterThan(2500)
    await bindTo(after, user, 'oNewcomer')
    expect((await after.user(identityOf('newcomer'))).version).toBe(1)
    await Promise.all([before.close(), after.close()])
  })

  test('copies an empty store', async () => {
    const file = join(folder, 'empty.db')
    await (await openSqliteStore({ file, ...settings })).close()
    const to = await newDatabase()
    expect((await copyStore({ from: file, to })).every(({ rows }) => rows === 0)).toBe(true)
    const store = await openPostgresStore({ url: to, ...settings })
    expect(await addUser(store, identityOf('first'))).toBe(1)
    await store.close()
  })

  test('refuses a target that is not empty, and does not change it', async () => {
    const file = await newFile('again.db')
    const to = await newDatabase()
    const store = await openPostgresStore({ url: to, ...settings })
    await addUser(store, identityOf('someone'))
    await store.close()
    await expect(copyStore({ from: file, to })).rejects.toMatchObject({
      code: 'BAD_CONFIG',
      message: /users is not empty/,
    })
    expect(await countOf(to)).toBe(1)
  })

  test('leaves the target empty when a row cannot be copied, and succeeds when it is repeated', async () => {
    const file = await newFile('broken.db')
    const to = await newDatabase()
    const database = new DatabaseSync(file)
    // SQLite stores a text in an integer column, but PostgreSQL refuses the text.
    database.exec("update jtis set until = 'x'")
    await expect(copyStore({ from: file, to })).rejects.toThrow()
    expect(await countOf(to)).toBe(0)
    database.exec('update jtis set until = 1')
    database.close()
    await copyStore({ from: file, to })
    expect(await countOf(to)).toBe(3750)
  })

  test('locks the file, so that a running server cannot write rows that would not be copied', async () => {
    const file = await newFile('running.db')
    const running = new DatabaseSync(file)
    const tables: string[] = []
    const to = await newDatabase()
    await copyStore({
      from: file,
      to,
      onTable: ({ table }) => {
        expect(() => running.exec('begin immediate')).toThrow('database is locked')
        tables.push(table)
      },
    })
    expect(tables).toHaveLength(21)
    running.close()
  })

  test('refuses a file that does not exist, and does not create it', async () => {
    const from = join(folder, 'nowhere.db')
    await expect(copyStore({ from, to: 'postgres://127.0.0.1:1/none' })).rejects.toMatchObject({ code: 'BAD_CONFIG' })
    expect(() => new DatabaseSync(from, { readOnly: true })).toThrow()
  })
})

describe('wechat-bind migrate', () => {
  test('copies to DATABASE_URL when --to is missing, and prints each table', async () => {
    const file = await newFile('command.db')
    const lines: string[] = []
    const env = { DATABASE_URL: await newDatabase() }
    await runMigrate(['--from', `sqlite:${file}`], env, (line) => lines.push(line))
    expect(lines[0]).toMatch(/^users +2500 {2}[0-9a-f]{64}$/)
    expect(lines.at(-1)).toContain('8766')
  })

  test.each([
    [[]],
    [['--from', 'file.db', '--to', 'postgres://x/y']],
    [['--from', 'sqlite:file.db', '--to', 'sqlite:other.db']],
    [['--from', 'sqlite:file.db']],
  ])('prints its usage when called with %j', async (args) => {
    await expect(runMigrate(args, {}, () => {})).rejects.toMatchObject({
      code: 'BAD_REQUEST',
      message: /--from sqlite:/,
    })
  })
})
