import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { eraseUser } from '../../../server/binding/erase.ts'
import type { BindingEvent } from '../../../server/client.ts'
import type { ApiResult } from '../../../server/http/encrypted-endpoint.ts'
import { openEnvelope, sealEnvelope } from '../../../server/keys/envelope.ts'
import { OTHER_SECRET, openTestServer, SECRET, type TestServer } from '../../support/test-server.ts'

let testServer: TestServer
beforeEach(async () => {
  testServer = await openTestServer()
})
afterEach(() => testServer.close())

const bytes = (secret: string) => new Uint8Array(Buffer.from(secret, 'base64url'))
const nowSeconds = () => Math.floor(testServer.time.clock() / 1000)

type Answer = { status: number; result: ApiResult & { Data: never } }

/** Encrypts, sends and decrypts without `createBindClient`, as a client in another language does. */
async function send(call: string, fields: object = {}, key = 'k1', signal?: AbortSignal): Promise<Answer> {
  const secret = bytes(key === 'k1' ? SECRET : OTHER_SECRET)
  const plaintext = { Date: nowSeconds(), Action: call === 'EraseUser' ? 'Update' : 'Get', ...fields }
  const body = await sealEnvelope(plaintext, { kid: key, jti: crypto.randomUUID() }, secret)
  const response = await testServer.app.request(`/api/WeChat/${call}`, { method: 'POST', body, signal })
  const { text } = await openEnvelope(await response.text(), undefined, () => ({ secret }))
  return { status: response.status, result: JSON.parse(text) }
}

const dataOf = async <T>(call: string, fields?: object, key?: string): Promise<T> => {
  const { result } = await send(call, fields, key)
  expect(result).toMatchObject({ Success: true, Code: 'OK' })
  return result.Data as T
}

const ids = (userId: string) => ({ Account: 'acme', User_ID: userId })

async function bind(person: string, userId: string, label?: string): Promise<void> {
  const { Url } = await testServer.client.getQrCode({ account: 'acme', userId, label })
  if ((await testServer.phone(person).scan(Url)) === 'follow') await testServer.phone(person).follow()
}

type List = { Items: Record<string, unknown>[]; NextCursor: string | null }
type Events = { Items: { Id: string; type: string; data: Record<string, unknown> }[]; Cursor: string; HasMore: boolean }

describe('GetBindInfos', () => {
  test('answers an item for each user, in their order, with the members of GetBindInfo', async () => {
    await bind('amy', 'u1')
    const { Items } = await dataOf<List>('GetBindInfos', { Users: [ids('u2'), ids('u1'), ids('u2')] })
    const unbound = { ...ids('u2'), ...(await testServer.bindInfo('u2')) }
    expect(Items).toEqual([unbound, { ...ids('u1'), ...(await testServer.bindInfo('u1')) }, unbound])
    expect(Items[1]).toMatchObject({ IsBound: true, OpenId: testServer.phone('amy').openid })
    const { Items: others } = await dataOf<List>('GetBindInfos', { Users: [ids('u1')] }, 'k2')
    expect(others).toMatchObject([{ IsBound: false, OpenId: null }])
  })

  test('takes 100 users with the longest ids, and a body of 256 KiB, but not more', async () => {
    const long = (i: number) => ({
      Account: '\u{1f600}'.repeat(128),
      User_ID: String(i).padStart(3, '0') + '\u{1f600}'.repeat(125),
    })
    const Users = Array.from({ length: 100 }, (_, i) => long(i))
    expect((await dataOf<List>('GetBindInfos', { Users })).Items).toHaveLength(100)
    const response = await testServer.app.request('/api/WeChat/GetBindInfos', {
      method: 'POST',
      body: 'x'.repeat(256 * 1024 + 1),
    })
    expect(response.status).toBe(413)
  })

  test('refuses the test users of the simulator among the users', async () => {
    const { result } = await send('GetBindInfos', { Users: [ids('u1'), ids('test-always-bound')] })
    expect(result.Code).toBe('TEST_USER')
  })
})

describe('ListBindings', () => {
  test('lists the bindings of the tenant in pages, with their labels, and finds by each filter', async () => {
    await bind('amy', 'u1', 'a***@x.com')
    testServer.time.advance(5_000)
    await bind('bo', 'u2')
    const first = await dataOf<List>('ListBindings', { Limit: 1 })
    expect(first.Items).toEqual([{ ...ids('u1'), ...(await testServer.bindInfo('u1')), Label: 'a***@x.com' }])
    const second = await dataOf<List>('ListBindings', { Limit: 1, Cursor: first.NextCursor })
    expect(second).toMatchObject({ Items: [{ ...ids('u2'), Label: null }], NextCursor: null })
    const found = async (filter: object) =>
      (await dataOf<List>('ListBindings', filter)).Items.map(({ User_ID }) => User_ID)
    expect(await found({ OpenId: testServer.phone('bo').openid })).toEqual(['u2'])
    expect(await found({ UnionId: 'none' })).toEqual([])
    expect(await found({ Account: 'acme' })).toEqual(['u1', 'u2'])
    expect(await found({ BoundSince: nowSeconds() })).toEqual(['u2'])
    expect(await found({ BoundUntil: nowSeconds() })).toEqual(['u1'])
    expect((await dataOf<List>('ListBindings', {}, 'k2')).Items).toEqual([])
  })
})

describe('GetEvents', () => {
  test("answers the tenant's events after a cursor, in the form of the webhook", async () => {
    const start = await dataOf<Events>('GetEvents')
    expect(start).toMatchObject({ Items: [], HasMore: false })
    await bind('amy', 'u1')
    await testServer.client.disconnect({ account: 'acme', userId: 'u1' })
    const first = await dataOf<Events>('GetEvents', { After: start.Cursor, Limit: 1 })
    expect(first).toMatchObject({
      HasMore: true,
      Items: [
        {
          Id: expect.stringMatching(/^evt_[\w-]{22}$/),
          type: 'binding.bound',
          timestamp: new Date(testServer.time.clock()).toISOString(),
          data: { Tenant: 'default', ...ids('u1'), OpenId: null, Version: 1, Reason: 'scan' },
        },
      ],
    })
    const second = await dataOf<Events>('GetEvents', { After: first.Cursor })
    expect(second).toMatchObject({
      HasMore: false,
      Items: [{ type: 'binding.unbound', data: { Reason: 'disconnect' } }],
    })
    expect(await dataOf<Events>('GetEvents', { After: second.Cursor })).toMatchObject({ Items: [], HasMore: false })
    expect((await dataOf<Events>('GetEvents', ids('u2'))).Items).toEqual([])
    expect((await dataOf<Events>('GetEvents', ids('u1'))).Items).toHaveLength(2)
    expect((await dataOf<Events>('GetEvents', {}, 'k2')).Items).toEqual([])
  })

  test('answers EVENTS_GONE and says what to do when events after the cursor have expired', async () => {
    const { Cursor } = await dataOf<Events>('GetEvents')
    await bind('amy', 'u1')
    await testServer.deps.store.sweep(testServer.time.clock() + 91 * 86_400_000)
    const { status, result } = await send('GetEvents', { After: Cursor })
    expect([status, result.Code]).toEqual([410, 'EVENTS_GONE'])
    expect(result.Message).toContain('ListBindings')
    expect((await dataOf<Events>('GetEvents')).Items).toEqual([])
  })

  const untilWaiting = async (count: number) => {
    while (testServer.deps.waiters.count() !== count) await new Promise(setImmediate)
  }

  test('waits for the next event of all users or of one user, and ignores changes without an event', async () => {
    const all = dataOf<Events>('GetEvents', { Wait: 25 })
    const one = dataOf<Events>('GetEvents', { ...ids('u2'), Wait: 25 })
    await untilWaiting(2)
    await testServer.deps.store.write((tx) => tx.apply({ type: 'closeTickets', user: 0, bumpsVersion: true }))
    await bind('amy', 'u1')
    expect((await all).Items).toMatchObject([{ data: ids('u1') }])
    await bind('bo', 'u2')
    expect((await one).Items).toMatchObject([{ data: ids('u2') }])
    await untilWaiting(0)
  })

  test('answers without an event when the wait is over, and when the server stops', async () => {
    const waiting = dataOf<Events>('GetEvents', { Wait: 3 })
    await untilWaiting(1)
    testServer.time.advance(3_000)
    expect(await waiting).toMatchObject({ Items: [], HasMore: false })
    const other = dataOf<Events>('GetEvents', { Wait: 25 })
    await untilWaiting(1)
    testServer.stopWaiting()
    expect(await other).toMatchObject({ Items: [] })
  })

  test('counts towards the limits of waiting requests, and stops waiting when the client disconnects', async () => {
    await testServer.close()
    testServer = await openTestServer({ MAX_WAITERS_USER: '2' })
    const hangUp = new AbortController()
    const gone = send('GetEvents', { Wait: 25 }, 'k1', hangUp.signal).catch(() => 'gone')
    const other = dataOf<Events>('GetEvents', { Wait: 25 })
    await untilWaiting(2)
    const { status, result } = await send('GetEvents', { Wait: 25 })
    expect([status, result.Code]).toEqual([503, 'OVERLOADED'])
    hangUp.abort()
    expect(await gone).toBe('gone')
    await untilWaiting(1)
    await bind('amy', 'u1')
    expect((await other).Items).toHaveLength(1)
  })
})

describe('EraseUser and ExportUser', () => {
  test('notify the page and the feed, and keep only the version of the user, which has grown', async () => {
    await bind('amy', 'u1', 'a***@x.com')
    await testServer.client.getQrCode({ account: 'acme', userId: 'u1' })
    const waiting = testServer.widget('GET', '/binding', { headers: { 'If-None-Match': '"1"', Prefer: 'wait=25' } })
    while (testServer.deps.waiters.count() === 0) await new Promise(setImmediate)
    const before = await dataOf<Record<string, unknown>>('ExportUser', ids('u1'))
    expect(before).toMatchObject({
      Tenant: 'default',
      ...ids('u1'),
      Version: 1,
      Binding: { OpenId: testServer.phone('amy').openid, Label: 'a***@x.com', IsSubscribed: true },
      History: [{ Type: 'binding.bound', Reason: 'scan', Version: 1 }],
      Tickets: [{ State: 'used', Label: 'a***@x.com' }, { State: 'pending' }],
      Authorizations: [],
      Notices: [],
    })
    const ticket = await testServer.deps.store.liveTicket(
      { tenant: 'default', account: 'acme', userId: 'u1' },
      testServer.time.clock(),
    )
    for (const secret of [ticket!.scene, ticket!.code]) expect(JSON.stringify(before)).not.toContain(secret)

    expect(await dataOf('EraseUser', ids('u1'))).toEqual({ Erased: true })
    expect(await (await waiting).json()).toEqual({ state: 'unbound', reason: 'erased', version: 2 })
    expect((await dataOf<Events>('GetEvents')).Items).toMatchObject([
      { type: 'binding.unbound', data: { Reason: 'erased', Version: 2 } },
    ])
    await testServer.deps.store.purgeErased(testServer.time.clock())
    expect((await dataOf<Events>('GetEvents')).Items).toEqual([])
    expect(await dataOf('ExportUser', ids('u1'))).toEqual({
      Tenant: 'default',
      ...ids('u1'),
      Version: 2,
      Binding: null,
      History: [],
      Tickets: [],
      Authorizations: [],
      Notices: [],
    })
    expect(await testServer.bindInfo('u1')).toMatchObject({ IsBound: false, Version: 2 })
    await bind('amy', 'u1')
    expect(await testServer.bindInfo('u1')).toMatchObject({ IsBound: true, Version: 3 })
  })

  test('erase an unknown user, and a user that has only a QR code', async () => {
    expect(await dataOf('EraseUser', ids('stranger'))).toEqual({ Erased: true })
    const { Url } = await testServer.client.getQrCode({ account: 'acme', userId: 'u1' })
    expect(await dataOf('EraseUser', ids('u1'))).toEqual({ Erased: true })
    await testServer.phone('amy').scan(Url)
    await testServer.phone('amy').follow()
    expect(await testServer.bindInfo('u1')).toMatchObject({ IsBound: false })
    expect(testServer.phone('amy').chat.at(-1)?.content).toContain('失效')
  })
})

describe('a wrong request', () => {
  const user = ids('u1')
  test.each([
    ['GetBindInfos', {}, 'Users'],
    ['GetBindInfos', { Users: [] }, 'Users'],
    ['GetBindInfos', { Users: Array.from({ length: 101 }, () => user) }, 'Users'],
    ['GetBindInfos', { Users: [{ Account: 'acme' }] }, 'Users.0.User_ID'],
    ['GetBindInfos', { Users: [user], Action: 'Update' }, 'Action'],
    ['ListBindings', { Limit: 0 }, 'Limit'],
    ['ListBindings', { Limit: 501 }, 'Limit'],
    ['ListBindings', { Limit: 1.5 }, 'Limit'],
    ['ListBindings', { Limit: '10' }, 'Limit'],
    ['ListBindings', { BoundSince: -1 }, 'BoundSince'],
    ['ListBindings', { BoundSince: 1_700_000_000_000 }, 'BoundSince'],
    ['ListBindings', { BoundSince: '2026-01-01' }, 'BoundSince'],
    ['ListBindings', { BoundSince: 5, BoundUntil: 5 }, 'BoundUntil'],
    ['ListBindings', { OpenId: '' }, 'OpenId'],
    ['ListBindings', { Account: 'a\u0000' }, 'Account'],
    ['ListBindings', { Cursor: '' }, 'Cursor'],
    ['ListBindings', { Cursor: 'x'.repeat(257) }, 'Cursor'],
    ['ListBindings', { Cursor: 'abcdefghijklmnopWzEsMl0' }, 'cursor'],
    ['GetEvents', { Wait: 26 }, 'Wait'],
    ['GetEvents', { Wait: -1 }, 'Wait'],
    ['GetEvents', { Account: 'acme' }, 'User_ID'],
    ['GetEvents', { User_ID: 'u1' }, 'User_ID'],
    ['GetEvents', { After: '中文' }, 'cursor'],
    ['EraseUser', { Account: 'acme' }, 'User_ID'],
    ['EraseUser', { ...user, Action: 'Get' }, 'Action'],
    ['ExportUser', { ...user, Action: 'Update' }, 'Action'],
  ])('%s %j is BAD_REQUEST and names the field', async (call, fields, name) => {
    const { status, result } = await send(call, fields)
    expect([status, result.Code]).toEqual([400, 'BAD_REQUEST'])
    expect(result.Message).toContain(name)
  })

  test('with a changed cursor, or a cursor of another call, tenant or user, is BAD_REQUEST', async () => {
    await bind('amy', 'u1')
    await bind('bo', 'u2')
    const { NextCursor: list } = await dataOf<List>('ListBindings', { Limit: 1 })
    const { Cursor: feed } = await dataOf<Events>('GetEvents')
    const { Cursor: ofUser } = await dataOf<Events>('GetEvents', ids('u1'))
    const changed = list!.slice(0, -1) + (list!.endsWith('A') ? 'B' : 'A')
    const codes = await Promise.all([
      send('ListBindings', { Cursor: feed }),
      send('GetEvents', { After: list }),
      send('ListBindings', { Cursor: list }, 'k2'),
      send('GetEvents', { After: feed }, 'k2'),
      send('GetEvents', { After: ofUser }),
      send('GetEvents', { ...ids('u2'), After: ofUser }),
      send('ListBindings', { Cursor: changed }),
      send('ListBindings', { Cursor: `x${list}` }),
    ])
    expect(codes.map(({ result }) => result.Code)).toEqual(Array(8).fill('BAD_REQUEST'))
    expect(await dataOf('ListBindings', { Cursor: list })).toMatchObject({ NextCursor: null })
  })
})

describe('the client', () => {
  test('iterates over all bindings and events, page by page', async () => {
    for (const [i, person] of ['amy', 'bo', 'cy'].entries()) await bind(person, `u${i}`)
    const listed: string[] = []
    for await (const { User_ID } of testServer.client.listBindings({ account: 'acme', pageSize: 2 }))
      listed.push(User_ID)
    expect(listed).toEqual(['u0', 'u1', 'u2'])
    const events: BindingEvent[] = []
    for await (const event of testServer.client.events({ wait: 0 })) events.push(event)
    expect(events.map(({ data }) => data.User_ID)).toEqual(['u0', 'u1', 'u2'])
    const rest = testServer.client.events({ wait: 0, after: events.at(-1)!.cursor })
    expect((await rest.next()).done).toBe(true)
    const infos = await testServer.client.getBindInfos([{ account: 'acme', userId: 'u1' }])
    expect(infos).toMatchObject([{ User_ID: 'u1', IsBound: true }])
  })

  test('continues with the next events, until the signal ends the iteration', async () => {
    const end = new AbortController()
    const seen: string[] = []
    const iterating = (async () => {
      for await (const { data } of testServer.client.events({ signal: end.signal })) {
        seen.push(data.User_ID)
        if (seen.length === 2) end.abort()
      }
    })()
    await bind('amy', 'u1')
    await bind('bo', 'u2')
    await iterating
    expect(seen).toEqual(['u1', 'u2'])
  })

  test('erases and exports a user', async () => {
    await bind('amy', 'u1')
    const subject = { account: 'acme', userId: 'u1' }
    expect(await testServer.client.exportUser(subject)).toMatchObject({ Binding: { IsSubscribed: true } })
    expect(await testServer.client.eraseUser(subject)).toEqual({ Erased: true })
    await eraseUser(testServer.deps, { tenant: 'default', ...subject })
    expect(await testServer.bindInfo()).toMatchObject({ IsBound: false })
  })
})
