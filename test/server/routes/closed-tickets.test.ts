/** A disconnect and an unbinding close every ticket and every scan of the user that waits for its confirmation. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Env } from '../../../server/config/config.ts'
import type { TicketView } from '../../../server/wire.ts'
import { openTestServer, type TestServer } from '../../support/test-server.ts'

let testServer: TestServer
const open = async (env: Env = {}) => {
  await testServer?.close()
  testServer = await openTestServer(env)
}
beforeEach(() => open())
afterEach(() => testServer.close())

const show = async (user = 'u1', refresh = false): Promise<TicketView> =>
  (await testServer.widget('POST', '/qrcode', { user, body: { refresh } })).json()

/** Scans, and follows the account if the person does not follow it yet. */
async function scan(person: string, url: string): Promise<void> {
  if ((await testServer.phone(person).scan(url)) === 'follow') await testServer.phone(person).follow()
}

const chatOf = (person: string) => testServer.phone(person).chat.at(-1)?.content ?? ''

const digitsOf = (person: string) => /\d{4}/.exec(chatOf(person))?.[0] ?? ''

const isBound = async (user = 'u1') => (await testServer.bindInfo(user)).IsBound

const viewOf = async (user = 'u1') => (await testServer.widget('GET', '/binding', { user })).json()

const confirm = (code: string) => testServer.widget('POST', '/confirm', { body: { code } })

const disconnect = () => testServer.client.disconnect({ account: 'acme', userId: 'u1' }).catch(({ code }) => code)

/** A QR code that a bound user can still show, because the encrypted API makes one to bind another WeChat. */
const secondUrl = async () => (await testServer.client.getQrCode({ account: 'acme', userId: 'u1' })).Url

const unbindings: [string, Env, () => Promise<unknown>][] = [
  ['Disconnect', {}, disconnect],
  ['DELETE', {}, () => testServer.widget('DELETE', '/binding')],
  ['解绑 in the chat', {}, () => testServer.phone('amy').sendText('解绑')],
  ['an unfollow', {}, () => testServer.phone('amy').unfollow()],
  ['CONFLICT=replace', { CONFLICT: 'replace' }, async () => scan('amy', (await show('u2')).url)],
]

describe.each(unbindings)('%s', (_, env, unbind) => {
  beforeEach(async () => {
    await open(env)
    await scan('amy', (await show()).url)
    expect(await isBound()).toBe(true)
  })

  test('invalidates a QR code that was made before', async () => {
    const url = await secondUrl()
    await unbind()
    await scan('bo', url)
    expect(chatOf('bo')).toContain('已失效')
    expect(await isBound()).toBe(false)
  })

  test('invalidates a scan whose late follow comes after the QR code has expired', async () => {
    const url = await secondUrl()
    expect(await testServer.phone('bo').scan(url)).toBe('follow')
    testServer.time.advance(130_000)
    await unbind()
    await testServer.phone('bo').follow()
    expect(chatOf('bo')).toContain('已失效')
    expect(await isBound()).toBe(false)
  })

  test('raises the version by one', async () => {
    await secondUrl()
    const { Version } = await testServer.bindInfo()
    await unbind()
    expect((await testServer.bindInfo()).Version).toBe(Version + 1)
  })
})

describe.each([
  ['Disconnect', disconnect],
  ['DELETE', () => testServer.widget('DELETE', '/binding')],
])('%s of a user without a binding', (_, unbind) => {
  test('closes the QR code of the page, and the page is notified and gets another QR code', async () => {
    const { url, version } = await show()
    const waiting = testServer.widget('GET', '/binding', {
      headers: { 'If-None-Match': `"${version}"`, Prefer: 'wait=25' },
    })
    while (testServer.deps.waiters.count() === 0) await new Promise(setImmediate)
    await unbind()
    expect(await (await waiting).json()).toEqual({ state: 'unbound', version: version + 1 })
    const next = await show()
    expect(next.url).not.toBe(url)
    await scan('bo', url)
    expect(await isBound()).toBe(false)
    await scan('bo', next.url)
    expect(await isBound()).toBe(true)
  })

  test('changes nothing when it is repeated, or for an unknown user', async () => {
    const { version } = await show()
    await unbind()
    await unbind()
    expect(await viewOf()).toEqual({ state: 'unbound', version: version + 1 })
    await testServer.widget('DELETE', '/binding', { user: 'never-seen' })
    expect(await viewOf('never-seen')).toEqual({ state: 'unbound', version: 0 })
  })

  test('cancels every scan that waits for its confirmation, not only the latest', async () => {
    await open({ CONFIRM: 'code' })
    const first = await secondUrl()
    await testServer.phone('bo').follow()
    await scan('amy', first)
    await scan('bo', await secondUrl())
    const digits = [digitsOf('amy'), digitsOf('bo')]
    await unbind()
    expect(await viewOf()).toMatchObject({ state: 'unbound' })
    expect([(await confirm(digits[0]!)).status, (await confirm(digits[1]!)).status]).toEqual([409, 409])
    expect(await isBound()).toBe(false)
  })
})

test('Disconnect still answers NOT_BOUND when it has only closed a QR code', async () => {
  await show()
  expect(await disconnect()).toBe('NOT_BOUND')
})

test('an unfollow under UNSUBSCRIBE=mark does not unbind, so the QR code keeps working', async () => {
  await open({ UNSUBSCRIBE: 'mark' })
  await scan('amy', (await show()).url)
  const url = await secondUrl()
  await testServer.phone('amy').unfollow()
  await scan('bo', url)
  expect((await testServer.bindInfo()).OpenId).toBe(testServer.phone('bo').openid)
})

describe('the digits of two scans of one user', () => {
  /** Amy and bo have each scanned a QR code of the user; both wait for their digits. */
  beforeEach(async () => {
    await open({ CONFIRM: 'code' })
    for (const person of ['amy', 'bo']) await testServer.phone(person).follow()
    for (const person of ['amy', 'bo']) await scan(person, await secondUrl())
  })

  test.each(['amy', 'bo'])('bind the WeChat user whose chat shows the digits: %s', async (person) => {
    expect((await confirm(digitsOf(person))).status).toBe(200)
    expect((await testServer.bindInfo()).OpenId).toBe(testServer.phone(person).openid)
    const other = person === 'amy' ? 'bo' : 'amy'
    expect((await confirm(digitsOf(other))).status).toBe(409)
  })

  test('cost each scan one try when the digits are wrong', async () => {
    const all = Array.from({ length: 10_000 }, (_, i) => String(i).padStart(4, '0'))
    const [wrong = ''] = all.filter((digits) => ![digitsOf('amy'), digitsOf('bo')].includes(digits))
    const left: unknown[] = []
    for (let i = 0; i < 3; i++) left.push((await (await confirm(wrong)).json()).triesLeft)
    expect(left).toEqual([2, 1, 0])
    expect((await confirm(digitsOf('amy'))).status).toBe(409)
  })

  test('expire together, and then the page shows no scan', async () => {
    testServer.time.advance(120_000)
    expect(await viewOf()).toMatchObject({ state: 'unbound' })
    const scanned = await testServer.deps.store.write(function* (tx) {
      const { id } = yield* tx.userOf({ tenant: 'default', account: 'acme', userId: 'u1' })
      return yield* tx.scannedOf(id)
    })
    expect(scanned).toEqual([])
  })
})
