/** The callback, driven by the simulated WeChat. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { sealMessage, toEchoQuery } from '../../../demo/simulator/message.ts'
import { openReply } from '../../../demo/simulator/reply.ts'
import type { Env } from '../../../server/config/config.ts'
import { createCrypt } from '../../../server/wechat/crypt.ts'
import { signatureOf } from '../../../server/wechat/signature.ts'
import { openTestServer, type TestServer } from '../../support/test-server.ts'

let testServer: TestServer
beforeEach(async () => {
  testServer = await openTestServer()
})
afterEach(() => testServer.close())

async function reopen(env: Env): Promise<void> {
  await testServer.close()
  testServer = await openTestServer(env)
}

const random = (size: number) => Buffer.alloc(size, 7)
const seconds = () => Math.floor(testServer.time.clock() / 1000)

const fieldsOf = (more: Record<string, string | number>) => ({
  ToUserName: testServer.simulator.account.originalId,
  FromUserName: 'oStranger',
  CreateTime: seconds(),
  MsgType: 'event',
  ...more,
})

const seal = (more: Record<string, string | number>) =>
  sealMessage(testServer.simulator.account, fieldsOf(more), testServer.time.clock(), random)

const post = (query: Record<string, string>, body: string) =>
  testServer.app.request(`/wechat/callback?${new URLSearchParams(query)}`, { method: 'POST', body })

async function deliver(more: Record<string, string | number>): Promise<Response> {
  const { query, body } = seal(more)
  return post(query, body)
}

/** Delivers a message in JSON, as WeChat does when its console is set to JSON. */
function deliverJson(fields: Record<string, string | number>): Promise<Response> {
  const { appId, encodingAesKey, token } = testServer.simulator.account
  const [timestamp, nonce] = [String(seconds()), '7']
  const Encrypt = createCrypt(encodingAesKey, appId).encrypt(JSON.stringify(fields))
  const query = { timestamp, nonce, msg_signature: signatureOf(token, timestamp, nonce, Encrypt) }
  return Promise.resolve(post(query, JSON.stringify({ ToUserName: fields.ToUserName, Encrypt })))
}

/** The text of the reply as WeChat would show it; `silent` for "success". */
async function chatReply(more: Record<string, string | number>): Promise<string> {
  const response = await deliver(more)
  const openid = String(more.FromUserName ?? 'oStranger')
  const reply = openReply(testServer.simulator.account, openid, {
    status: response.status,
    body: await response.text(),
  })
  return reply.kind === 'text' ? reply.content : reply.kind
}

const sceneOf = (url: string) => {
  const qrcode = testServer.simulator.memory().qrcodes.find((each) => each.url === url)
  return qrcode?.scene ?? ''
}

const newScene = async (user = 'u1', isRefresh = false) => sceneOf(await testServer.ticketUrl(user, isRefresh))

const isBound = async (user = 'u1') => (await testServer.bindInfo(user)).IsBound

describe('GET /wechat/callback', () => {
  test('answers the URL check with the echostr, byte for byte', async () => {
    expect(await testServer.simulator.verifyCallbackUrl()).toBeUndefined()
    const query = toEchoQuery(testServer.simulator.account, testServer.time.clock(), random)
    const response = await testServer.app.request(`/wechat/callback?${new URLSearchParams(query)}`)
    expect([response.status, await response.text()]).toEqual([200, query.echostr])
    expect(response.headers.get('content-type')).toMatch(/^text\/plain/)
  })

  test('refuses a wrong signature, an old timestamp and an echostr that a browser would render', async () => {
    const query = toEchoQuery(testServer.simulator.account, testServer.time.clock(), random)
    const get = async (more: Record<string, string>) =>
      (await testServer.app.request(`/wechat/callback?${new URLSearchParams({ ...query, ...more })}`)).status
    expect(await get({ signature: 'a'.repeat(40) })).toBe(403)
    expect(await get({ echostr: '<script>alert(1)</script>' })).toBe(403)
    expect((await testServer.app.request('/wechat/callback')).status).toBe(403)
    testServer.time.advance(301_000)
    expect(await get({})).toBe(403)
  })
})

describe('POST /wechat/callback', () => {
  test('binds a new follower by subscribe and encrypts the answer', async () => {
    const scene = await newScene()
    const text = await chatReply({ Event: 'subscribe', EventKey: `qrscene_${scene}`, FromUserName: 'oAmy' })
    expect(text).toContain('已绑定您的账号')
    expect(text).toContain('解绑')
    expect(await testServer.bindInfo()).toMatchObject({ IsBound: true, OpenId: 'oAmy' })
  })

  test('binds a follower by SCAN, in upper or lower case', async () => {
    expect(await chatReply({ Event: 'scan', EventKey: await newScene(), FromUserName: 'oAmy' })).toContain('已绑定')
    expect(await isBound()).toBe(true)
  })

  test.each<[string, Record<string, string | number>]>([
    ['an unknown foreign scene', { Event: 'SCAN', EventKey: 'vendor_1' }],
    ['a foreign follow', { Event: 'subscribe', EventKey: 'qrscene_123' }],
    ['the scene 0 of a malformed QR', { Event: 'SCAN', EventKey: '0' }],
    ['a follow after paying', { Event: 'subscribe', EventKey: 'last_trade_no_4200' }],
    ['a plain follow', { Event: 'subscribe', EventKey: '' }],
    ['a menu click', { Event: 'CLICK', EventKey: 'wb1_menu' }],
    ['a chat message', { MsgType: 'text', Content: 'hello', MsgId: '1' }],
    ['a picture', { MsgType: 'image', PicUrl: 'http://x', MsgId: '2' }],
    ['an event without a key', { Event: 'SCAN' }],
    ['an event without a sender', { Event: 'SCAN', EventKey: 'wb1_x', FromUserName: '' }],
  ])('answers success to %s', async (_, more) => {
    const response = await deliver(more)
    expect([response.status, await response.text()]).toEqual([200, 'success'])
  })

  test('answers a scan of an unknown ticket as expired', async () => {
    expect(await chatReply({ Event: 'SCAN', EventKey: 'wb1_AAAAAAAAAAAAAAAAAAAAAA' })).toContain('已失效')
  })

  test('refuses forgeries with one answer, stores nothing and logs no secret', async () => {
    const scene = await newScene()
    const { query, body } = seal({ Event: 'SCAN', EventKey: scene })
    const plain = '<xml><FromUserName>oAmy</FromUserName></xml>'
    const refused = await Promise.all([
      post({ ...query, msg_signature: 'a'.repeat(40) }, body),
      post({ ...query, nonce: 'other' }, body),
      post({ ...query, timestamp: '1' }, body),
      post({ ...query, msg_signature: '' }, body),
      post({}, body),
      post(query, plain),
      post(query, ''),
      post(query, '{'),
      post(query, '<xml><Encrypt>'),
      post(query, body.replace('</xml>', '')),
      post(query, `<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>${body}`),
    ])
    const texts = await Promise.all(refused.map((response) => response.text()))
    expect(new Set(refused.map(({ status }) => status))).toEqual(new Set([403]))
    expect(new Set(texts)).toEqual(new Set(['refused']))
    expect(await isBound()).toBe(false)
    const { token, encodingAesKey, appSecret } = testServer.simulator.account
    for (const secret of [token, encodingAesKey, appSecret, scene, 'oStranger', query.msg_signature ?? '']) {
      expect(testServer.log.lines.join('\n')).not.toContain(secret)
    }
    expect(await chatReply({ Event: 'SCAN', EventKey: scene })).toContain('已绑定')
  })

  test('accepts a message with an XML declaration', async () => {
    const { query, body } = seal({ Event: 'SCAN', EventKey: await newScene(), FromUserName: 'oAmy' })
    expect((await post(query, `<?xml version="1.0" encoding="UTF-8"?>\n${body}`)).status).toBe(200)
    expect(await isBound()).toBe(true)
  })

  test('refuses a message encrypted for another account', async () => {
    const { account } = testServer.simulator
    const scene = await newScene()
    const other = { ...account, appId: 'wxother000000000000' }
    const { query, body } = sealMessage(
      other,
      fieldsOf({ Event: 'SCAN', EventKey: scene }),
      testServer.time.clock(),
      random,
    )
    expect((await post(query, body)).status).toBe(403)
  })

  test('refuses a body of 1 MB before parsing it', async () => {
    const { query } = seal({ Event: 'SCAN', EventKey: 'x' })
    const response = await post(query, 'x'.repeat(1_000_000))
    expect([response.status, await response.text(), response.headers.get('connection')]).toEqual([
      403,
      'refused',
      'close',
    ])
  })

  test('answers 500 when the store is down, so that WeChat delivers again', async () => {
    const scene = await newScene()
    const { query, body } = seal({ Event: 'SCAN', EventKey: scene })
    await testServer.deps.store.close()
    const response = await post(query, body)
    expect([response.status, await response.text()]).toEqual([500, 'failed'])
    testServer = await openTestServer()
  })
})

describe('WECHAT_MODE', () => {
  test('plain accepts WeChat’s sandbox account, and checks its signature', async () => {
    await reopen({ WECHAT_MODE: 'plain', WECHAT_ENCODING_AES_KEY: undefined })
    const url = await testServer.ticketUrl()
    await testServer.phone('amy').scan(url)
    expect(await testServer.phone('amy').follow()).toMatchObject({ kind: 'text' })
    expect(await isBound()).toBe(true)
    const { query, body } = seal({ Event: 'unsubscribe', FromUserName: testServer.phone('amy').openid })
    expect((await post({ ...query, signature: 'a'.repeat(40) }, body)).status).toBe(403)
  })

  test('plain accepts a repeated nonce only with the same body', async () => {
    await reopen({ WECHAT_MODE: 'plain', WECHAT_ENCODING_AES_KEY: undefined })
    const scene = await newScene()
    const { query, body } = seal({ Event: 'SCAN', EventKey: scene, FromUserName: 'oAmy' })
    expect((await post(query, body)).status).toBe(200)
    expect((await post(query, body)).status).toBe(200)
    expect((await post(query, body.replace('oAmy', 'oEve').replace(scene, await newScene('u2')))).status).toBe(403)
    expect(await isBound('u2')).toBe(false)
  })

  test('compatible reads only the decrypted part, and refuses a plaintext message', async () => {
    await reopen({ WECHAT_MODE: 'compatible' })
    const scene = await newScene()
    const { query, body } = seal({ Event: 'SCAN', EventKey: scene, FromUserName: 'oAmy' })
    expect((await post(query, body.replace(/<Encrypt>.*<\/Encrypt>/, ''))).status).toBe(403)
    expect((await post(query, body.replace('oAmy', 'oEve'))).status).toBe(200)
    expect((await testServer.bindInfo()).OpenId).toBe('oAmy')
  })

  test('secure refuses a plaintext message with any query', async () => {
    const scene = await newScene()
    const { query } = seal({ Event: 'SCAN', EventKey: scene })
    const plain = { ...testServer.simulator.account, mode: 'plain' as const }
    const { query: signed, body } = sealMessage(
      plain,
      fieldsOf({ Event: 'SCAN', EventKey: scene }),
      testServer.time.clock(),
      random,
    )
    for (const tried of [query, signed, { ...signed, encrypt_type: 'raw' }])
      expect((await post(tried, body)).status).toBe(403)
  })
})

describe('a repeated delivery', () => {
  test('changes nothing and gets the reply of the first', async () => {
    const event = { Event: 'SCAN', EventKey: await newScene(), FromUserName: 'oAmy' }
    const first = await chatReply(event)
    testServer.time.advance(5_000)
    const again = await chatReply({ ...event, CreateTime: seconds() - 5 })
    expect(again).toBe(first)
    expect((await testServer.bindInfo()).Version).toBe(1)
  })

  test('does not bind again after the user has unbound', async () => {
    const event = { Event: 'SCAN', EventKey: await newScene(), FromUserName: 'oAmy', CreateTime: seconds() }
    await deliver(event)
    await testServer.client.disconnect({ account: 'acme', userId: 'u1' })
    testServer.time.advance(5_000)
    await deliver(event)
    expect(await testServer.bindInfo()).toMatchObject({ IsBound: false, Version: 2 })
  })

  test('is distinguished from another scan of the same second', async () => {
    const [one, two] = [await newScene('u1'), await newScene('u2')]
    await deliver({ Event: 'SCAN', EventKey: one, FromUserName: 'oAmy' })
    expect(await chatReply({ Event: 'SCAN', EventKey: two, FromUserName: 'oAmy' })).toContain('已绑定其他账号')
  })
})

describe('a repeated delivery after another event of the same second', () => {
  test('does not clear the mark of an unfollow', async () => {
    await reopen({ UNSUBSCRIBE: 'mark' })
    const CreateTime = seconds()
    const follow = { Event: 'subscribe', EventKey: `qrscene_${await newScene()}`, FromUserName: 'oAmy', CreateTime }
    const first = await chatReply(follow)
    await deliver({ Event: 'unsubscribe', EventKey: '', FromUserName: 'oAmy', CreateTime })
    expect(await chatReply(follow)).toBe(first)
    expect(await testServer.bindInfo()).toMatchObject({ IsBound: true, IsSubscribed: false })
  })

  test('gets the reply of the first, even if its sender has used up its tries', async () => {
    const { code } = (await (await testServer.widget('POST', '/qrcode')).json()) as { code: string }
    const text = (Content: string, MsgId: string) => ({ MsgType: 'text', Content, MsgId, FromUserName: 'oAmy' })
    const right = text(`绑定 ${code}`, 'right')
    const first = await chatReply(right)
    for (let i = 0; i < 5; i++) await deliver(text(`绑定 22222${i + 2}22`, `w${i}`))
    expect(first).toContain('已绑定')
    expect(await chatReply(right)).toBe(first)
  })
})

describe('a repeated delivery after a restart', () => {
  test('gets the reply of the first, and does not bind again', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'wechat-bind-'))
    const env = { DATABASE_URL: `sqlite:${join(folder, 'bind.db')}` }
    await reopen(env)
    const event = { Event: 'SCAN', EventKey: await newScene(), FromUserName: 'oAmy', CreateTime: seconds() }
    const first = await chatReply(event)
    await testServer.client.disconnect({ account: 'acme', userId: 'u1' })
    const { account } = testServer.simulator
    await testServer.close()
    testServer = await openTestServer(env, { account })
    expect(await chatReply(event)).toBe(first)
    expect(await testServer.bindInfo()).toMatchObject({ IsBound: false, Version: 2 })
    rmSync(folder, { recursive: true })
  })
})

describe('a race', () => {
  test('of two WeChats for one ticket has one winner', async () => {
    const EventKey = await newScene()
    const openids = Array.from({ length: 20 }, (_, i) => `oRacer${i}`)
    const replies = await Promise.all(
      openids.map((FromUserName) => chatReply({ Event: 'SCAN', EventKey, FromUserName })),
    )
    expect(replies.filter((text) => text.includes('已绑定'))).toHaveLength(1)
    expect(replies.filter((text) => text.includes('已被使用'))).toHaveLength(19)
    expect((await testServer.bindInfo()).Version).toBe(1)
  })

  test('of one WeChat for two users under reject has one winner', async () => {
    const scenes = await Promise.all(['u1', 'u2', 'u3'].map((user) => newScene(user)))
    await Promise.all(scenes.map((EventKey) => deliver({ Event: 'SCAN', EventKey, FromUserName: 'oAmy' })))
    const bound = await Promise.all(['u1', 'u2', 'u3'].map(isBound))
    expect(bound.filter((is) => is)).toHaveLength(1)
  })
})

describe('an unsubscribe', () => {
  const leave = (CreateTime: number) =>
    deliver({ Event: 'unsubscribe', EventKey: '', FromUserName: 'oAmy', CreateTime })

  test('unbinds, and a new follow does not bind again', async () => {
    await deliver({ Event: 'SCAN', EventKey: await newScene(), FromUserName: 'oAmy' })
    await leave(seconds())
    expect(await testServer.bindInfo()).toMatchObject({ IsBound: false, OpenId: null, Version: 2 })
    await deliver({ Event: 'subscribe', EventKey: '', FromUserName: 'oAmy' })
    expect(await isBound()).toBe(false)
  })

  test('older than the binding has no effect', async () => {
    await deliver({ Event: 'SCAN', EventKey: await newScene(), FromUserName: 'oAmy' })
    await leave(seconds() - 1)
    expect(await isBound()).toBe(true)
  })

  test('is not undone by an older scan that arrives late', async () => {
    const EventKey = await newScene()
    await leave(seconds())
    await deliver({ Event: 'SCAN', EventKey, FromUserName: 'oAmy', CreateTime: seconds() - 1 })
    expect(await isBound()).toBe(false)
    await deliver({ Event: 'SCAN', EventKey, FromUserName: 'oAmy' })
    expect(await isBound()).toBe(true)
  })

  test('only marks under UNSUBSCRIBE=mark, and following again clears the mark', async () => {
    await reopen({ UNSUBSCRIBE: 'mark' })
    await deliver({ Event: 'SCAN', EventKey: await newScene('u1'), FromUserName: 'oAmy' })
    await leave(seconds())
    expect(await testServer.bindInfo()).toMatchObject({ IsBound: true, IsSubscribed: false, Version: 2 })
    expect(await chatReply({ Event: 'SCAN', EventKey: await newScene('u2'), FromUserName: 'oAmy' })).toContain(
      '其他账号',
    )
    testServer.time.advance(1000)
    await deliver({ Event: 'subscribe', EventKey: 'qrscene_vendor', FromUserName: 'oAmy' })
    expect(await testServer.bindInfo()).toMatchObject({ IsBound: true, IsSubscribed: true, Version: 3 })
  })

  test('marks the binding, and a follow by any QR code of this server clears the mark', async () => {
    await reopen({ UNSUBSCRIBE: 'mark' })
    await deliver({ Event: 'SCAN', EventKey: await newScene('u1'), FromUserName: 'oAmy' })
    await leave(seconds())
    await deliver({ Event: 'subscribe', EventKey: `qrscene_${await newScene('u2')}`, FromUserName: 'oAmy' })
    expect(await testServer.bindInfo()).toMatchObject({ IsBound: true, IsSubscribed: true })
  })
})

describe('the end of an authorization', () => {
  const ends = ['user_authorization_cancellation', 'user_authorization_revoke']
  const end = (Event: string, CreateTime = seconds()) =>
    deliver({ Event, FromUserName: 'oPlatform', OpenID: 'oAmy', AppID: testServer.simulator.account.appId, CreateTime })

  test.each(ends)('%s unbinds and erases, whatever UNSUBSCRIBE says', async (Event) => {
    await reopen({ UNSUBSCRIBE: 'mark' })
    await deliver({ Event: 'SCAN', EventKey: await newScene(), FromUserName: 'oAmy' })
    expect(await (await end(Event)).text()).toBe('success')
    expect(await testServer.bindInfo()).toMatchObject({ IsBound: false, OpenId: null, Version: 2 })
    const page = await (await testServer.widget('GET', '/binding')).json()
    expect(page).toMatchObject({ state: 'unbound', reason: 'unsubscribe' })
  })

  test('unbinds after an unfollow in the same second that has only marked the binding', async () => {
    await reopen({ UNSUBSCRIBE: 'mark' })
    await deliver({ Event: 'SCAN', EventKey: await newScene(), FromUserName: 'oAmy' })
    await deliver({ Event: 'unsubscribe', FromUserName: 'oAmy' })
    expect(await isBound()).toBe(true)
    await end('user_authorization_cancellation')
    expect(await isBound()).toBe(false)
  })

  test('cancels an unconfirmed scan, and an earlier scan that arrives later does not bind', async () => {
    await reopen({ CONFIRM: 'reply' })
    const late = await newScene('u2')
    await deliver({ Event: 'SCAN', EventKey: await newScene('u1'), FromUserName: 'oAmy' })
    await end('user_authorization_revoke')
    expect(await (await testServer.widget('GET', '/binding')).json()).toMatchObject({ state: 'unbound' })
    await deliver({ Event: 'SCAN', EventKey: late, FromUserName: 'oAmy', CreateTime: seconds() - 1 })
    const page = await (await testServer.widget('GET', '/binding', { user: 'u2' })).json()
    expect(page).toMatchObject({ state: 'unbound' })
  })

  test('unbinds neither other users nor the openid of the platform that sends the event', async () => {
    await deliver({ Event: 'SCAN', EventKey: await newScene('u1'), FromUserName: 'oPlatform' })
    await deliver({ Event: 'SCAN', EventKey: await newScene('u2'), FromUserName: 'oBo' })
    for (const Event of ends) await end(Event)
    expect([await isBound('u1'), await isBound('u2')]).toEqual([true, true])
  })

  test.each(ends)('is read from WeChat’s own JSON sample of %s, in which names begin with a space', async (Event) => {
    const openid = 'oaKk343WOktAaT2ygsX138BGblrg'
    await deliver({ Event: 'SCAN', EventKey: await newScene(), FromUserName: openid })
    // https://developers.weixin.qq.com/doc/service/guide/h5/authorization_change
    const sample = {
      ToUserName: testServer.simulator.account.originalId,
      FromUserName: 'oaKk346BaWE-eIn4oSRWbaM9vR7s',
      CreateTime: seconds(),
      MsgType: 'event',
      Event,
      ' OpenID': openid,
      ' AppID': testServer.simulator.account.appId,
      ' RevokeInfo': '201',
    }
    expect((await deliverJson(sample)).status).toBe(200)
    expect(await isBound()).toBe(false)
  })

  test('is sent by the simulator', async () => {
    for (const act of ['closeAccount', 'revokeAuthorization'] as const) {
      await testServer.phone('amy').scan(await testServer.ticketUrl(), { follow: true })
      expect(await isBound()).toBe(true)
      testServer.time.advance(1_000)
      await testServer.phone('amy')[act]()
      expect(await isBound()).toBe(false)
    }
  })
})

describe('a follow without a scene', () => {
  test('is answered with a request to scan again while a recent ticket is pending', async () => {
    const url = await testServer.ticketUrl()
    expect(await testServer.phone('amy').scan(url)).toBe('follow')
    // WeChat drops the scene after five minutes on the follow page.
    testServer.time.advance(301_000)
    expect(await testServer.phone('amy').follow()).toMatchObject({ content: expect.stringContaining('再扫一次') })
    await testServer.phone('amy').scan(await testServer.ticketUrl())
    expect(await isBound()).toBe(true)
  })

  test('is not answered when no ticket is pending', async () => {
    await newScene()
    testServer.time.advance(721_000)
    expect(await chatReply({ Event: 'subscribe', EventKey: '', FromUserName: 'oAmy' })).toBe('silent')
  })
})

describe('a late delivery does not undo a newer event', () => {
  const say = (Content: string, CreateTime: number) =>
    chatReply({ MsgType: 'text', Content, MsgId: `${Content}${CreateTime}`, FromUserName: 'oAmy', CreateTime })
  const scan = (EventKey: string, CreateTime: number) =>
    deliver({ Event: 'SCAN', EventKey, FromUserName: 'oAmy', CreateTime })
  const leave = (CreateTime: number) => deliver({ Event: 'unsubscribe', FromUserName: 'oAmy', CreateTime })

  test('an older unfollow does not replace a newer unfollow', async () => {
    const scene = await newScene()
    await leave(seconds() - 10)
    await leave(seconds() - 100)
    await scan(scene, seconds() - 50)
    expect(await isBound()).toBe(false)
  })

  test('an older scan does not replace a newer binding under CONFLICT=replace', async () => {
    await reopen({ CONFLICT: 'replace' })
    const [old, fresh] = [await newScene('u1'), await newScene('u2')]
    await scan(fresh, seconds())
    await scan(old, seconds() - 60)
    expect([await isBound('u1'), await isBound('u2')]).toEqual([false, true])
  })

  test('an older message in the chat neither confirms nor cancels a newer scan', async () => {
    await reopen({ CONFIRM: 'reply' })
    await scan(await newScene(), seconds())
    await say('确认', seconds() - 60)
    await say('解绑', seconds() - 60)
    expect(await (await testServer.widget('GET', '/binding')).json()).toMatchObject({ state: 'scanned' })
  })

  test('an older scan does not bind after 解绑 in the chat', async () => {
    const scene = await newScene('u2')
    await scan(await newScene('u1'), seconds() - 30)
    await say('解绑', seconds() - 10)
    await scan(scene, seconds() - 20)
    expect(await isBound('u2')).toBe(false)
  })

  test('an older unfollow does not mark a newer follow', async () => {
    await reopen({ UNSUBSCRIBE: 'mark' })
    await scan(await newScene(), seconds() - 30)
    await deliver({ Event: 'subscribe', EventKey: '', FromUserName: 'oAmy', CreateTime: seconds() - 10 })
    await leave(seconds() - 20)
    expect(await testServer.bindInfo()).toMatchObject({ IsBound: true, IsSubscribed: true })
  })
})

describe('the text path', () => {
  const write = (Content: string, MsgId: string, FromUserName = 'oAmy') =>
    chatReply({ MsgType: 'text', Content, MsgId, FromUserName })

  const codeOf = async (user = 'u1') =>
    ((await (await testServer.widget('POST', '/qrcode', { user })).json()) as { code: string }).code

  test.each(['绑定 ', '绑定', '綁定：', 'bind ', 'BIND  '])('binds by "%s" and the code', async (word) => {
    expect(await write(`${word}${(await codeOf()).toLowerCase()}`, '1')).toContain('已绑定')
    expect(await isBound()).toBe(true)
  })

  test('refuses even the right code after five wrong codes in an hour', async () => {
    const code = await codeOf()
    for (let i = 0; i < 5; i++) expect(await write(`绑定 22222${i + 2}22`, `w${i}`)).toContain('绑定码不正确')
    expect(await write(`绑定 ${code}`, 'r')).toContain('一小时后')
    expect(await write(`绑定 ${code}`, 'other', 'oBo')).toContain('已绑定')
    testServer.time.advance(3_600_001)
    expect(await write(`绑定 ${await codeOf('u2')}`, 'later')).toContain('已绑定')
  })
})

describe('解绑 in the chat', () => {
  test('unbinds the user, and finds no binding the second time', async () => {
    await deliver({ Event: 'SCAN', EventKey: await newScene(), FromUserName: 'oAmy' })
    const undo = (MsgId: string) => chatReply({ MsgType: 'text', Content: ' 解绑 ', MsgId, FromUserName: 'oAmy' })
    expect(await undo('1')).toContain('解绑。')
    expect(await undo('2')).toContain('没有绑定')
    expect(await (await testServer.widget('GET', '/binding')).json()).toMatchObject({
      state: 'unbound',
      reason: 'chat',
    })
  })
})

describe('CONFIRM=reply', () => {
  beforeEach(() => reopen({ CONFIRM: 'reply' }))

  test('binds only after the scanner has confirmed in the chat', async () => {
    const asked = await chatReply({ Event: 'SCAN', EventKey: await newScene(), FromUserName: 'oAmy' })
    expect(asked).toContain('weixin://bizmsgmenu?msgmenucontent=')
    expect(await (await testServer.widget('GET', '/binding')).json()).toMatchObject({
      state: 'scanned',
      confirm: 'reply',
    })
    await deliver({ MsgType: 'text', Content: '确认绑定', MsgId: '1', FromUserName: 'oBo' })
    expect(await isBound()).toBe(false)
    expect(await chatReply({ MsgType: 'text', Content: '确认', MsgId: '2', FromUserName: 'oAmy' })).toContain('已绑定')
    expect(await isBound()).toBe(true)
  })
})

describe('two scans of one WeChat', () => {
  const scan = (EventKey: string) => chatReply({ Event: 'SCAN', EventKey, FromUserName: 'oAmy' })

  test('a confirmation in the chat confirms the later scan', async () => {
    await reopen({ CONFIRM: 'reply' })
    const [own, relayed] = [await newScene('own'), await newScene('relayed')]
    await scan(relayed)
    testServer.time.advance(1_000)
    await scan(own)
    await deliver({ MsgType: 'text', Content: '确认绑定', MsgId: '1', FromUserName: 'oAmy' })
    expect([await isBound('own'), await isBound('relayed')]).toEqual([true, false])
  })

  test('are both cancelled by an unfollow, and the digits of both no longer bind', async () => {
    await reopen({ CONFIRM: 'code', CONFLICT: 'allow' })
    const digits = /\d{4}/.exec(await scan(await newScene('ua')))?.[0]
    await deliver({ Event: 'unsubscribe', FromUserName: 'oAmy' })
    const response = await testServer.widget('POST', '/confirm', { user: 'ua', body: { code: digits } })
    expect([response.status, await isBound('ua')]).toEqual([409, false])
  })
})

describe('replies', () => {
  test('are in the language of the page, or in the configured language', async () => {
    const askIn = async (language: string, user: string) => {
      const response = await testServer.widget('POST', '/qrcode', { user, headers: { 'Accept-Language': language } })
      return sceneOf(((await response.json()) as { url: string }).url)
    }
    const scenes = [await askIn('en-GB,en;q=0.8', 'u1'), await askIn('zh-HK', 'u2'), await askIn('fr', 'u3')]
    const texts = await Promise.all(
      scenes.map((EventKey, i) => chatReply({ Event: 'SCAN', EventKey, FromUserName: `oP${i}` })),
    )
    expect(texts[0]).toContain('bound to your account')
    expect(texts[1]).toContain('已綁定您的帳號')
    expect(texts[2]).toContain('已绑定您的账号')
  })

  test('are the texts of REPLY_* if these are set', async () => {
    await reopen({ REPLY_BOUND: '好了：{label}' })
    expect(await chatReply({ Event: 'SCAN', EventKey: await newScene() })).toBe('好了：您的账号')
  })

  test('never name the account to which the WeChat is bound', async () => {
    await testServer.client.getQrCode({ account: 'acme', userId: 'u1', label: 'first-label' })
    await deliver({ Event: 'SCAN', EventKey: await newScene('u1'), FromUserName: 'oAmy' })
    const text = await chatReply({ Event: 'SCAN', EventKey: await newScene('u2'), FromUserName: 'oAmy' })
    expect(text).not.toContain('first-label')
  })
})
