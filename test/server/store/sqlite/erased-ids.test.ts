/** An erased openid leaves the write-ahead log within a minute, as raw bytes, while the server runs. */
import { copyFileSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, describe, expect, test } from 'vitest'
import { openSqliteStore } from '../../../../server/store/sqlite/sqlite-store.ts'
import type { Change, PendingConfirmation } from '../../../../server/store/store.ts'
import { createFakeTime } from '../../../support/fake-time.ts'
import { addUser, bindTo, newTicket } from '../../../support/rows.ts'
import { openTestServer } from '../../../support/test-server.ts'

const OPENID = 'oErasedOpenid'

const settings = { hashOf: (...parts: string[]) => `hash of ${parts.length}`, hasWebhook: () => false }
const folder = mkdtempSync(join(tmpdir(), 'wechat-bind-erased-'))
afterAll(() => rmSync(folder, { recursive: true }))

let files = 0
const newFile = () => join(folder, `${++files}.db`)

const identityOf = (userId: string) => ({ tenant: 't', account: 'a', userId })

async function openStore(file = newFile()) {
  const time = createFakeTime()
  // A server also polls for commits of other processes. A command does not, so `pending` counts only the timers of erasures.
  const store = await openSqliteStore({ file, ...settings, setTimer: time.setTimer, isCommand: true })
  /** A user `userId`, bound to `openid`. */
  async function addBound(userId: string, openid = OPENID): Promise<number> {
    const user = await addUser(store, identityOf(userId))
    await bindTo(store, user, openid)
    return user
  }
  const apply = (change: Change) => store.write((tx) => tx.apply(change))
  const unbind = (user: number) => apply({ type: 'unbind', user, reason: 'unsubscribe', at: 1 })
  return { file, time, store, addBound, apply, unbind }
}

const walOf = (file: string) => readFileSync(`${file}-wal`)

/** The files that contain the openid, as raw bytes. */
const holding = (file: string, openid = OPENID) =>
  ['', '-wal'].filter((suffix) => readFileSync(file + suffix).includes(openid))

const until = (expected: () => unknown) => expect.poll(expected, { interval: 5 })

describe('an erased openid', () => {
  test('leaves the log within a minute, without any further write, and every other row stays', async () => {
    const { file, time, store, addBound, unbind } = await openStore()
    const [user] = [await addBound('u1'), await addBound('u2', 'oKept')]
    expect(holding(file)).toEqual(['-wal'])
    await unbind(user)
    time.advance(29_000)
    expect(holding(file)).toEqual(['-wal'])
    time.advance(31_000)
    await until(() => walOf(file).length).toBe(0)
    expect(holding(file)).toEqual([])
    expect(await store.user(identityOf('u2'))).toMatchObject({ binding: { openid: 'oKept' } })
    expect(time.pending()).toBe(0)
    await store.close()
  })

  test('leaves the log again after the next erasure, and commits continue', async () => {
    const { file, time, store, addBound, unbind } = await openStore()
    for (let round = 0; round < 5; round++) {
      const user = await addBound(`u${round}`)
      await unbind(user)
      expect(holding(file)).toContain('-wal')
      time.advance(30_000)
      await until(() => holding(file)).toEqual([])
    }
    expect(await store.user(identityOf('u4'))).toMatchObject({ version: 2, binding: null })
    await store.close()
  })

  test('leaves the log when the last reader finishes, because SQLite cannot empty the log during a read', async () => {
    const { file, time, store, addBound, unbind } = await openStore()
    const user = await addBound('u1')
    const reader = new DatabaseSync(file)
    reader.exec('begin; select * from bindings')
    await unbind(user)
    time.advance(30_000)
    // A pending timer for the next try means that this try has failed.
    await until(() => time.pending()).toBe(1)
    expect(holding(file)).toContain('-wal')
    // Writes still succeed.
    expect(await store.write((tx) => tx.consumeJti('j', 1))).toBe(true)
    reader.exec('commit')
    reader.close()
    time.advance(5_000)
    await until(() => holding(file)).toEqual([])
    await store.close()
  })

  const scanned: PendingConfirmation = {
    confirm: 'code',
    openid: OPENID,
    eventTime: 1,
    until: 1,
    digits: '7391',
    triesLeft: 3,
    reason: 'scan',
  }

  test.each<[string, (user: number, ticket: number) => Change]>([
    [
      'an unconfirmed scan is closed',
      (user, ticket) => ({ type: 'close', ticket, user, as: 'used', bumpsVersion: true }),
    ],
    [
      'a binding of another ticket closes the scan',
      (user, ticket) => ({ type: 'closeTickets', user, ticket: ticket + 1, bumpsVersion: false }),
    ],
  ])('leaves the log when %s', async (_, closing) => {
    const { file, time, store, apply } = await openStore()
    const { user, id } = await store.write((tx) => tx.addTicket(identityOf('u1'), newTicket('s1'), false))
    await apply({ type: 'scan', ticket: id, user, confirmation: scanned })
    expect(holding(file)).toContain('-wal')
    await apply(closing(user, id))
    time.advance(30_000)
    await until(() => holding(file)).toEqual([])
    await store.close()
  })

  test('leaves the log when a new QR code replaces the scanned one', async () => {
    const { file, time, store, apply } = await openStore()
    const add = (name: string) => store.write((tx) => tx.addTicket(identityOf('u1'), newTicket(name), true))
    const { user, id } = await add('s1')
    await apply({ type: 'scan', ticket: id, user, confirmation: scanned })
    await add('s2')
    time.advance(30_000)
    await until(() => holding(file)).toEqual([])
    await store.close()
  })

  test('leaves the log of a server that was killed, after the next start', async () => {
    const first = await openStore()
    await first.unbind(await first.addBound('u1'))
    // A copy of the files has the state that a killed process leaves.
    const file = newFile()
    for (const suffix of ['', '-wal']) copyFileSync(first.file + suffix, file + suffix)
    await first.store.close()
    expect(holding(file)).toContain('-wal')
    const { time, store } = await openStore(file)
    time.advance(30_000)
    await until(() => holding(file)).toEqual([])
    await store.close()
  })

  test('leaves the log when the store is closed, even if another process has the file open', async () => {
    const { file, store, addBound, unbind } = await openStore()
    const other = new DatabaseSync(file)
    other.exec('select * from bindings')
    await unbind(await addBound('u1'))
    expect(holding(file)).toContain('-wal')
    await store.close()
    expect(holding(file)).toEqual([])
    other.close()
  })
})

describe('the truncation of the log', () => {
  test('does not make writes fail while it runs', async () => {
    const { file, time, store, addBound, unbind } = await openStore()
    for (let round = 0; round < 20; round++) {
      await unbind(await addBound(`u${round}`))
      time.advance(30_000)
      const writes = Array.from({ length: 20 }, async (_, i) => {
        for (let turn = 0; turn < i; turn++) await new Promise(setImmediate)
        await store.write((tx) => tx.consumeJti(`${round} ${i}`, 1))
        await store.outbox.unclaim(1, i)
        await store.outbox.lease('me', i, i + 1)
        await store.sweep(0)
      })
      await Promise.all(writes)
    }
    time.advance(60_000)
    await until(() => holding(file)).toEqual([])
    await store.close()
  })

  test('takes place only after an erasure', async () => {
    const { file, time, store, addBound } = await openStore()
    await addBound('u1')
    expect(time.pending()).toBe(0)
    expect(statSync(`${file}-wal`).size).toBeGreaterThan(0)
    await store.close()
  })
})

describe('the server', () => {
  test.each(['unfollow', 'closeAccount', 'revokeAuthorization', 'undo', 'disconnect'] as const)(
    'has no openid in its files a minute after %s',
    async (how) => {
      const file = newFile()
      const testServer = await openTestServer({ DATABASE_URL: `sqlite:${file}` })
      const amy = testServer.phone('amy')
      await amy.scan(await testServer.ticketUrl(), { follow: true })
      await testServer.deps.unionids.idle()
      expect(holding(file, amy.openid)).toContain('-wal')
      if (how === 'undo') await amy.sendText('解绑')
      else if (how === 'disconnect') await testServer.client.disconnect({ account: 'acme', userId: 'u1' })
      else await amy[how]()
      expect(await testServer.bindInfo()).toMatchObject({ IsBound: false })
      testServer.time.advance(60_000)
      await until(() => [...holding(file, amy.openid), ...holding(file, amy.unionid)]).toEqual([])
      await testServer.close()
    },
  )
})
