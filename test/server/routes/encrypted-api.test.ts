import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { ApiResult } from '../../../server/http/encrypted-endpoint.ts'
import { openEnvelope, sealEnvelope, TOKEN_TYPE } from '../../../server/keys/envelope.ts'
import type { Problem } from '../../../server/wire.ts'
import { OTHER_SECRET, openTestServer, SECRET, type TestServer } from '../../support/test-server.ts'

let testServer: TestServer
beforeEach(async () => {
  testServer = await openTestServer()
})
afterEach(() => testServer.close())

const bytes = (secret: string) => new Uint8Array(Buffer.from(secret, 'base64url'))
const KEY = bytes(SECRET)

let jtis = 0
const newJti = () => `jti-${++jtis}`

const nowSeconds = () => Math.floor(testServer.time.clock() / 1000)

type Call = 'GetQrCode' | 'GetBindInfo' | 'Disconnect'

const plaintextOf = (call: Call, more: object = {}) => ({
  Account: 'acme',
  User_ID: 'u1',
  Date: nowSeconds(),
  Action: call === 'Disconnect' ? 'Update' : 'Get',
  ...more,
})

const post = (call: Call, body: string, type = 'application/jose') =>
  testServer.app.request(`/api/WeChat/${call}`, { method: 'POST', headers: { 'Content-Type': type }, body })

type Answer = { status: number; result: ApiResult; headers: Headers; req: string | undefined }

/** Encrypts, sends and decrypts without `createBindClient`, as a client in another language does. */
async function send(call: Call, more: object = {}, jti: string | undefined = newJti()): Promise<Answer> {
  const body = await sealEnvelope(plaintextOf(call, more), { kid: 'k1', ...(jti === undefined ? {} : { jti }) }, KEY)
  return open(await post(call, body))
}

async function open(response: Response): Promise<Answer> {
  expect(response.headers.get('content-type')).toBe('application/jose')
  const { text, header } = await openEnvelope(await response.text(), undefined, () => ({ secret: KEY }))
  return { status: response.status, result: JSON.parse(text), headers: response.headers, req: header.req }
}

async function bindTo(person: string, user = 'u1') {
  const url = await testServer.ticketUrl(user)
  if ((await testServer.phone(person).scan(url)) === 'follow') await testServer.phone(person).follow()
}

describe('GetQrCode', () => {
  test('answers the fields of the contract', async () => {
    const { status, result, headers } = await send('GetQrCode')
    expect([status, headers.get('cache-control')]).toEqual([200, 'no-store'])
    const ticket = result.Data as Record<string, string>
    expect(result).toEqual({
      Success: true,
      Code: 'OK',
      Message: '',
      Data: {
        Ticket: ticket.Ticket,
        Url: expect.stringMatching(/^http:\/\/weixin\.qq\.com\/q\//),
        ImageUrl: `http://wechat.test/cgi-bin/showqrcode?ticket=${encodeURIComponent(ticket.Ticket ?? '')}`,
        ExpiresAt: nowSeconds() + 120,
        ExpireSeconds: 120,
      },
    })
    expect(ticket.Ticket).toMatch(/^gQ/)
  })

  test('asks WeChat for a QR_STR_SCENE with a random scene and the configured lifetime', async () => {
    await send('GetQrCode')
    const [created] = testServer.simulator.wire.since(0).filter(({ url }) => url.includes('qrcode/create'))
    expect(JSON.parse(created?.raw ?? '')).toEqual({
      expire_seconds: 120,
      action_name: 'QR_STR_SCENE',
      action_info: { scene: { scene_str: expect.stringMatching(/^wb1_[\w-]{22}$/) } },
    })
  })

  test('answers the valid ticket again, and a new ticket with IsRefresh', async () => {
    const urlOf = async (more?: object) => ((await send('GetQrCode', more)).result.Data as { Url: string }).Url
    const first = await urlOf()
    expect(await urlOf()).toBe(first)
    expect(await urlOf({ IsRefresh: true })).not.toBe(first)
  })

  test('answers a ticket to a bound user too', async () => {
    await bindTo('amy')
    await bindTo('bo')
    expect((await testServer.bindInfo()).OpenId).toBe(testServer.phone('bo').openid)
  })

  test('names the account by its Label in the chat', async () => {
    const { Url } = (await send('GetQrCode', { Label: 'ab***@example.com' })).result.Data as { Url: string }
    await testServer.phone('amy').scan(Url)
    await testServer.phone('amy').follow()
    expect(testServer.phone('amy').chat.at(-1)?.content).toContain('“ab***@example.com”')
  })

  test('names the account by its newest Label, even with an existing ticket', async () => {
    await send('GetQrCode')
    const { Url } = (await send('GetQrCode', { Label: 'new***' })).result.Data as { Url: string }
    await testServer.phone('amy').scan(Url)
    await testServer.phone('amy').follow()
    expect(testServer.phone('amy').chat.at(-1)?.content).toContain('“new***”')
  })

  test('makes one call to WeChat for simultaneous requests, even with different Labels', async () => {
    const labels = Array.from({ length: 20 }, (_, i) => `label-${i}`)
    const answers = await Promise.all(labels.map((Label) => send('GetQrCode', { Label })))
    expect(new Set(answers.map(({ result }) => (result.Data as { Url: string }).Url)).size).toBe(1)
    expect(testServer.simulator.wire.since(0).filter(({ url }) => url.includes('qrcode/create'))).toHaveLength(1)
  })

  test('answers WECHAT_UNAVAILABLE when WeChat does not answer', async () => {
    testServer.simulator.faults.setDown(true)
    const { status, result } = await send('GetQrCode')
    expect([status, result.Success, result.Code, result.Data]).toEqual([503, false, 'WECHAT_UNAVAILABLE', null])
  })

  test('answers 429 with Retry-After above the limit of a user', async () => {
    for (let i = 0; i < 10; i++) await send('GetQrCode', { IsRefresh: true })
    const { status, result, headers } = await send('GetQrCode', { IsRefresh: true })
    expect([status, result.Code, headers.get('retry-after')]).toEqual([429, 'RATE_LIMITED', '60'])
  })
})

describe('GetBindInfo', () => {
  test('answers nulls for a user without a binding', async () => {
    expect((await send('GetBindInfo')).result.Data).toEqual({
      IsBound: false,
      OpenId: null,
      UnionId: null,
      AppId: testServer.simulator.account.appId,
      IsSubscribed: false,
      BoundAt: null,
      Version: 0,
    })
  })

  test('answers the binding, with the unionid that was fetched afterwards', async () => {
    await testServer.close()
    testServer = await openTestServer({}, { account: { hasUnionid: true } })
    await bindTo('amy')
    await testServer.deps.unionids.idle()
    expect((await send('GetBindInfo')).result.Data).toEqual({
      IsBound: true,
      OpenId: testServer.phone('amy').openid,
      UnionId: testServer.phone('amy').unionid,
      AppId: testServer.simulator.account.appId,
      IsSubscribed: true,
      BoundAt: nowSeconds(),
      Version: 2,
    })
  })

  test('compares ids byte for byte, and does not join account and user id', async () => {
    await bindTo('amy', 'u1')
    for (const ids of [{ Account: 'acmeu', User_ID: '1' }, { Account: 'ACME' }, { User_ID: 'u1 ' }]) {
      expect((await send('GetBindInfo', ids)).result.Data).toMatchObject({ IsBound: false })
    }
  })

  test('does not find users of another tenant', async () => {
    await bindTo('amy')
    expect((await testServer.otherTenant.getBindInfo({ account: 'acme', userId: 'u1' })).IsBound).toBe(false)
  })
})

describe('Disconnect', () => {
  test('unbinds, answers the new version, and answers NOT_BOUND the second time', async () => {
    await bindTo('amy')
    expect((await send('Disconnect')).result).toMatchObject({ Success: true, Code: 'OK', Data: { Version: 2 } })
    const { status, result } = await send('Disconnect')
    expect([status, result.Success, result.Code]).toEqual([409, false, 'NOT_BOUND'])
  })

  test('does not unbind a user of another tenant', async () => {
    await bindTo('amy')
    await expect(testServer.otherTenant.disconnect({ account: 'acme', userId: 'u1' })).rejects.toMatchObject({
      code: 'NOT_BOUND',
    })
    expect((await testServer.bindInfo()).IsBound).toBe(true)
  })
})

describe('a request', () => {
  test('gets a reply that contains its jti', async () => {
    expect((await send('GetBindInfo', {}, 'mine')).req).toBe('mine')
  })

  test.each<[name: string, more: object]>([
    ['no Account', { Account: undefined }],
    ['an empty User_ID', { User_ID: '' }],
    ['an Account of 129 characters', { Account: 'a'.repeat(129) }],
    ['a control character', { Account: 'a\u0000b' }],
    ['a number for an id', { User_ID: 1 }],
    ['the wrong Action', { Action: 'Update' }],
    ['no Action', { Action: undefined }],
    ['a Date in text', { Date: '1768464000' }],
    ['no Date', { Date: undefined }],
    ['another Path', { Path: '/api/WeChat/Disconnect' }],
  ])('with %s is BAD_REQUEST', async (_, more) => {
    const { status, result } = await send('GetBindInfo', more)
    expect([status, result.Success, result.Code]).toEqual([400, false, 'BAD_REQUEST'])
    expect(result.Message.length).toBeGreaterThan(10)
  })

  test.each([{ Account: '账'.repeat(128) }, { User_ID: '😀'.repeat(128) }, { Path: '/api/WeChat/GetBindInfo' }])(
    'with %o is accepted',
    async (more) => {
      expect((await send('GetBindInfo', more)).status).toBe(200)
    },
  )

  test('without a jti is BAD_REQUEST', async () => {
    const body = await sealEnvelope(plaintextOf('GetBindInfo'), { kid: 'k1' }, KEY)
    const { status, result, req } = await open(await post('GetBindInfo', body))
    expect([status, result.Code, req]).toEqual([400, 'BAD_REQUEST', undefined])
  })

  test.each([
    [-301, 'STALE_DATE'],
    [-300, 'OK'],
    [300, 'OK'],
    [301, 'STALE_DATE'],
  ])('with a Date %i s off is %s', async (seconds, code) => {
    expect((await send('GetBindInfo', { Date: nowSeconds() + seconds })).result.Code).toBe(code)
  })

  test('is accepted once', async () => {
    expect((await send('GetBindInfo', {}, 'twice')).status).toBe(200)
    const { status, result } = await send('GetBindInfo', {}, 'twice')
    expect([status, result.Code]).toEqual([409, 'REPLAYED'])
  })

  test('consumes its jti if another field is invalid, but not if its Date is invalid', async () => {
    await send('GetBindInfo', { Account: '' }, 'wrong')
    expect((await send('GetBindInfo', {}, 'wrong')).result.Code).toBe('REPLAYED')
    await send('GetBindInfo', { Date: nowSeconds() - 1000 }, 'stale')
    expect((await send('GetBindInfo', {}, 'stale')).result.Code).toBe('OK')
  })

  test('may have a jti that another key has used', async () => {
    await send('GetBindInfo', {}, 'shared')
    const body = await sealEnvelope(plaintextOf('GetBindInfo'), { kid: 'k2', jti: 'shared' }, bytes(OTHER_SECRET))
    expect((await post('GetBindInfo', body)).status).toBe(200)
  })

  test('whose plaintext is not an object is BAD_REQUEST', async () => {
    for (const plaintext of ['text', 7, null, []]) {
      const { result } = await open(
        await post('GetBindInfo', await sealEnvelope(plaintext, { kid: 'k1', jti: newJti() }, KEY)),
      )
      expect(result.Code).toBe('BAD_REQUEST')
    }
  })

  test('that cannot be decrypted gets the same 401 for every cause, and consumes no jti', async () => {
    const plaintext = plaintextOf('GetBindInfo')
    const sealed = await sealEnvelope(plaintext, { kid: 'k1', jti: 'unopened' }, KEY)
    const refused = [
      '',
      'not a jwe',
      JSON.stringify(plaintext),
      sealed.slice(0, -2),
      sealed.replace(/.$/, (last) => (last === 'A' ? 'Q' : 'A')),
      await sealEnvelope(plaintext, { kid: 'k9', jti: 'a' }, KEY),
      await sealEnvelope(plaintext, { kid: 'k1', jti: 'a' }, bytes(OTHER_SECRET)),
      await sealEnvelope(plaintext, { jti: 'a' }, KEY),
      await sealEnvelope(plaintext, { kid: 'k1', jti: 'a', typ: TOKEN_TYPE }, KEY),
    ]
    const answers = await Promise.all(refused.map(async (body) => post('GetBindInfo', body)))
    const problems = await Promise.all(answers.map((response) => response.json() as Promise<Problem>))
    // Only the request ids differ.
    const texts = problems.map(({ requestId, ...rest }) => JSON.stringify(rest))
    expect(new Set(answers.map(({ status, headers }) => `${status} ${headers.get('content-type')}`))).toEqual(
      new Set(['401 application/problem+json']),
    )
    expect(new Set(texts).size).toBe(1)
    expect(JSON.parse(texts[0] ?? '')).toMatchObject({ code: 'UNAUTHORIZED' })
    expect((await open(await post('GetBindInfo', sealed))).result.Code).toBe('OK')
  })

  test('of 1 MB is refused before decryption', async () => {
    const response = await post('GetBindInfo', 'x'.repeat(1_000_000))
    expect([response.status, response.headers.get('content-type')]).toEqual([413, 'application/problem+json'])
  })

  test('with an unknown call or another method is 404', async () => {
    const answers = [await testServer.app.request('/api/WeChat/GetBindInfo'), await post('Nothing' as Call, 'x')]
    expect(answers.map(({ status }) => status)).toEqual([404, 404])
  })
})
