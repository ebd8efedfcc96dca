/** `CONFIRM=reply`: a tap on the link in the chat confirms the scan that its message asks about. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { toChatParts } from '../../../demo/simulator/chat.ts'
import type { Env } from '../../../server/config/config.ts'
import { newTicket } from '../../support/rows.ts'
import { openTestServer, type TestServer } from '../../support/test-server.ts'

let testServer: TestServer
const open = async (env: Env = {}) => {
  await testServer?.close()
  testServer = await openTestServer({ CONFIRM: 'reply', ...env })
  await testServer.phone('amy').follow()
}
beforeEach(() => open())
afterEach(() => testServer.close())

const lastMessage = () => testServer.phone('amy').chat.at(-1)?.content ?? ''

const links = () => toChatParts(lastMessage()).flatMap(({ href }) => href ?? [])

/** Amy scans the user's QR code; returns the link of the question in the chat. */
async function scan(userId: string, label?: string, isRefresh = false): Promise<string> {
  const { Url } = await testServer.client.getQrCode({ account: 'acme', userId, label, isRefresh })
  await testServer.phone('amy').scan(Url)
  return links()[0] ?? ''
}

/** A message of amy's chat, as WeChat delivers it. */
async function deliver(fields: Record<string, string>): Promise<string> {
  const message = { MsgType: 'text', Content: '确认', MsgId: String(testServer.time.clock()) }
  const answer = await testServer.deliver({ FromUserName: testServer.phone('amy').openid, ...message, ...fields })
  return answer.text()
}

const isBound = async (user: string) => (await testServer.bindInfo(user)).IsBound

describe('a tap on the link', () => {
  test('confirms the question of its message', async () => {
    const link = await scan('own')
    expect(link).toMatch(/^weixin:\/\/bizmsgmenu\?msgmenucontent=.+&msgmenuid=wb1_\d+$/)
    await testServer.phone('amy').tap(link)
    expect(lastMessage()).toContain('已绑定')
    expect(await isBound('own')).toBe(true)
  })

  test('in an older message does not confirm the newer question, and the reply says that the link has expired', async () => {
    const older = await scan('own', 'own***')
    testServer.time.advance(1000)
    const newer = await scan('relayed', 'foreign***')
    await testServer.phone('amy').tap(older)
    expect(lastMessage()).toContain('已失效')
    expect([await isBound('own'), await isBound('relayed')]).toEqual([false, false])
    await testServer.phone('amy').tap(newer)
    expect([await isBound('own'), await isBound('relayed')]).toEqual([false, true])
  })

  test('after 120 s gets the reply that the link has expired', async () => {
    const link = await scan('own')
    testServer.time.advance(120_000)
    await testServer.phone('amy').tap(link)
    expect(lastMessage()).toContain('已失效')
    expect(await isBound('own')).toBe(false)
  })

  test('a second time says that the WeChat is bound', async () => {
    const link = await scan('own', 'own***')
    await testServer.phone('amy').tap(link)
    await testServer.phone('amy').tap(link)
    expect(lastMessage()).toContain('此微信已绑定“own***”')
  })

  test('in a message to another WeChat user gets only the reply that the link has expired', async () => {
    await testServer.phone('bo').follow()
    const { Url } = await testServer.client.getQrCode({ account: 'acme', userId: 'own', label: 'bo***' })
    await testServer.phone('bo').scan(Url)
    const [link = ''] = toChatParts(testServer.phone('bo').chat.at(-1)?.content ?? '').flatMap(({ href }) => href ?? [])
    await testServer.phone('amy').tap(link)
    expect(lastMessage()).toContain('已失效')
    expect(lastMessage()).not.toContain('bo***')
    expect(await isBound('own')).toBe(false)
    await testServer.phone('bo').tap(link)
    await testServer.phone('amy').tap(link)
    expect(lastMessage()).not.toContain('bo***')
  })

  test.each(['1', '101', '', 'wb1', 'wb1_', 'wb1_x', 'wb2_1', ' wb1_1'])(
    'of another system (bizmsgmenuid "%s") is not about binding',
    async (bizmsgmenuid) => {
      await scan('own')
      expect(await deliver({ bizmsgmenuid })).toBe('success')
      expect(await isBound('own')).toBe(false)
    },
  )

  test('that names no ticket gets the reply that the link has expired', async () => {
    await scan('own')
    const { length } = await deliver({ bizmsgmenuid: 'wb1_999999' })
    expect(length).toBeGreaterThan('success'.length)
    expect(await isBound('own')).toBe(false)
  })

  test('is delivered twice, and confirms once', async () => {
    const id = /msgmenuid=(.+)$/.exec(await scan('own'))?.[1] ?? ''
    await deliver({ bizmsgmenuid: id })
    await testServer.client.disconnect({ account: 'acme', userId: 'own' })
    await deliver({ bizmsgmenuid: id })
    expect(await testServer.bindInfo('own')).toMatchObject({ IsBound: false, Version: 3 })
  })
})

describe('a typed word', () => {
  test('confirms the only open question', async () => {
    await scan('own')
    await testServer.phone('amy').sendText('确认')
    expect(await isBound('own')).toBe(true)
  })

  test('confirms the newer question after the older one was cancelled', async () => {
    await scan('relayed')
    testServer.time.advance(1000)
    await scan('own')
    await testServer.phone('amy').sendText('yes')
    expect([await isBound('own'), await isBound('relayed')]).toEqual([true, false])
  })

  test('confirms nothing while two questions are open', async () => {
    await scan('a')
    // A scan would cancel the earlier question, so the second question is written directly into the store.
    const { ticket } = await testServer.deps.store.write(function* (tx) {
      const identity = { tenant: 'default', account: 'acme', userId: 'b' }
      const ticket = yield* tx.addTicket(identity, newTicket('b', { appId: testServer.config.wechat.appId }), false)
      const [asked] = yield* tx.scannedBy(testServer.config.wechat.appId, testServer.phone('amy').openid)
      if (asked?.state.name !== 'scanned') throw new Error('the first question is not open')
      const { confirmation } = asked.state
      yield* tx.apply({ type: 'scan', ticket: ticket.id, user: ticket.user, confirmation })
      return { ticket }
    })
    await testServer.phone('amy').sendText('确认')
    expect([await isBound('a'), await isBound('b')]).toEqual([false, false])
    expect(await deliver({ bizmsgmenuid: `wb1_${ticket.id}` })).not.toBe('success')
    expect([await isBound('a'), await isBound('b')]).toEqual([false, true])
  })
})

describe('a label', () => {
  const consent = '<a href="weixin://bizmsgmenu?msgmenucontent=yes">不是我，撤销</a>'

  test.each([consent, 'https://evil.example/x', 'www.evil.com', '#小程序://商城/abc'])(
    'with the text "%s" adds no link to the question',
    async (label) => {
      const link = await scan('own', label)
      expect(links()).toEqual([link])
      expect(lastMessage().replace(link, '')).not.toMatch(/:\/\/|[\w-]\.[a-z]{2}/)
    },
  )

  test('of the widget token is plain text too', async () => {
    const { url } = await (await testServer.widget('POST', '/qrcode', { label: consent })).json()
    await testServer.phone('amy').scan(url)
    expect(links()).toHaveLength(1)
  })

  test.each(['\ufffe', '\u202e\u200b', '\u2028'])(
    'without a visible character is replaced by "your account": %j',
    async (label) => {
      await scan('own', label)
      expect(lastMessage()).toContain('是否将此微信绑定到您的账号？')
    },
  )
})
