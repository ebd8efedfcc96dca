import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { expireScans } from '../../../server/binding/expire-scans.ts'
import { openTestServer, type TestServer } from '../../support/test-server.ts'

let folder: string
let file: string
let testServer: TestServer
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'wechat-bind-scans-'))
  file = join(folder, 'bind.db')
  testServer = await openTestServer({ CONFIRM: 'code', DATABASE_URL: `sqlite:${file}` })
})
afterEach(async () => {
  await testServer.close()
  rmSync(folder, { recursive: true })
})

const scan = async (user = 'u1', person = 'amy') =>
  testServer.phone(person).scan(await testServer.ticketUrl(user), { follow: true })

/** The states of the tickets that contain an openid or digits. */
function withIds(): unknown[] {
  const database = new DatabaseSync(file, { readOnly: true })
  const rows = database.prepare('select state from tickets where openid is not null or digits is not null').all()
  database.close()
  return rows.map(({ state }) => state)
}

const pageOf = async (user = 'u1', headers = {}) => testServer.widget('GET', '/binding', { user, headers })

describe('expireScans', () => {
  test('clears openid and digits soon after the time to confirm is over, even if no page asks', async () => {
    await scan()
    expect(withIds()).toEqual(['scanned'])
    testServer.time.advance(149_000)
    await expireScans(testServer.deps)
    expect(withIds()).toEqual(['scanned'])
    testServer.time.advance(1_000)
    await expireScans(testServer.deps)
    expect(withIds()).toEqual([])
    testServer.time.advance(60_000)
    await expect
      .poll(() => ['', '-wal'].filter((end) => readFileSync(file + end).includes(testServer.phone('amy').openid)))
      .toEqual([])
  })

  test('raises the version, so that a page that returns later shows the state before the scan', async () => {
    await scan()
    const scanned = await (await pageOf()).json()
    expect(scanned).toMatchObject({ state: 'scanned' })
    testServer.time.advance(180_000)
    await expireScans(testServer.deps)
    const page = await (await pageOf('u1', { 'If-None-Match': `"${scanned.version}"` })).json()
    expect(page).toMatchObject({ state: 'unbound', version: scanned.version + 1 })
  })

  test('keeps the scans of other users that can still be confirmed', async () => {
    await scan('u1', 'amy')
    testServer.time.advance(100_000)
    await scan('u2', 'bo')
    testServer.time.advance(50_000)
    await expireScans(testServer.deps)
    expect(withIds()).toEqual(['scanned'])
    expect(await (await pageOf('u2')).json()).toMatchObject({ state: 'scanned' })
  })

  test('closes all scans, even if one unit of work cannot take all of them', async () => {
    const { store, clock } = testServer.deps
    const until = clock() - 60_000
    await store.write(function* (tx) {
      for (let i = 0; i < 250; i++) {
        const identity = { tenant: 'default', account: 'acme', userId: `u${i}` }
        const names = { appId: 'wx1', scene: `wb1_${i}`, code: `C${i}`, wechatTicket: 't', url: 'u', label: null }
        const ticket = { ...names, lang: 'en', createdAt: until, expiresAt: until } as const
        const { id, user } = yield* tx.addTicket(identity, ticket, false)
        const confirmation = {
          confirm: 'code',
          openid: `o${i}`,
          eventTime: 1,
          until,
          digits: '1',
          triesLeft: 3,
          reason: 'scan',
        } as const
        yield* tx.apply({ type: 'scan', ticket: id, user, confirmation })
      }
    })
    expect(withIds()).toHaveLength(250)
    await expireScans(testServer.deps)
    expect(withIds()).toEqual([])
  })
})
