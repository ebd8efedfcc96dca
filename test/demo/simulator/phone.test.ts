import { describe, expect, test } from 'vitest'
import { FAULT_NOTICE, toChatParts } from '../../../demo/simulator/chat.ts'
import { parseXml } from '../../../server/wechat/xml.ts'
import { createFixture } from './simulator-fixture.ts'

/** Returns the messages that the simulator has sent so far, decrypted. */
const pushed = ({ simulator }: ReturnType<typeof createFixture>) =>
  simulator.wire
    .since(0)
    .filter(({ kind }) => kind === 'callback')
    .map(({ opened }) => parseXml(opened))

describe('scan', () => {
  test('sends SCAN with the ticket and the scene (without a prefix) if the person follows the account', async () => {
    const fixture = createFixture()
    const amy = fixture.simulator.phone('amy')
    await amy.follow()
    expect(await amy.scan(await fixture.showQrcode('wb1_one'))).toBe('chat')
    expect(pushed(fixture).at(-1)).toEqual({
      ToUserName: fixture.simulator.account.originalId,
      FromUserName: amy.openid,
      CreateTime: String(fixture.time.clock() / 1000),
      MsgType: 'event',
      Event: 'SCAN',
      EventKey: 'wb1_one',
      Ticket: expect.stringMatching(/^gQ/),
    })
  })

  test('sends no message and opens the follow page if the person does not follow the account', async () => {
    const fixture = createFixture()
    expect(await fixture.simulator.phone('amy').scan(await fixture.showQrcode())).toBe('follow')
    expect(pushed(fixture)).toEqual([])
  })

  test('sends no message and displays a notice if the QR code has expired', async () => {
    const fixture = createFixture()
    const amy = fixture.simulator.phone('amy')
    await amy.follow()
    const url = await fixture.showQrcode('wb1_one', 120)
    await fixture.time.advance(120_000)
    expect(await amy.scan(url)).toBe('expired')
    expect(pushed(fixture)).toHaveLength(1)
  })

  test('sends an event with another CreateTime for every scan', async () => {
    const fixture = createFixture()
    const amy = fixture.simulator.phone('amy')
    await amy.follow()
    const url = await fixture.showQrcode()
    await amy.scan(url)
    await fixture.time.advance(1000)
    await amy.scan(url)
    const [first, second] = pushed(fixture).slice(1)
    expect(Number(second?.CreateTime) - Number(first?.CreateTime)).toBe(1)
  })

  test('does not recognise a QR code that is not from WeChat', async () => {
    expect(await createFixture().simulator.phone('amy').scan('https://example.com')).toBe('unknown')
  })
})

describe('follow', () => {
  test('sends subscribe with qrscene_ and the ticket after a scan', async () => {
    const fixture = createFixture()
    const amy = fixture.simulator.phone('amy')
    await amy.scan(await fixture.showQrcode('wb1_one'))
    await amy.follow()
    expect(pushed(fixture)).toMatchObject([
      { Event: 'subscribe', EventKey: 'qrscene_wb1_one', Ticket: expect.any(String) },
    ])
  })

  test('keeps the scene for 4 minutes on the follow page, even if the QR code expires in this time', async () => {
    const fixture = createFixture()
    const amy = fixture.simulator.phone('amy')
    await amy.scan(await fixture.showQrcode('wb1_one', 60))
    await fixture.time.advance(240_000)
    await amy.follow()
    expect(pushed(fixture)).toMatchObject([{ EventKey: 'qrscene_wb1_one' }])
  })

  test('sends the follow without the scene after 5 minutes on the follow page', async () => {
    const fixture = createFixture()
    const amy = fixture.simulator.phone('amy')
    await amy.scan(await fixture.showQrcode('wb1_one', 600))
    await fixture.time.advance(300_000)
    await amy.follow()
    expect(pushed(fixture)).toMatchObject([{ Event: 'subscribe', EventKey: '' }])
    expect(pushed(fixture)[0]).not.toHaveProperty('Ticket')
  })

  test('sends the follow without the scene if lingeredMs is 5 minutes', async () => {
    const fixture = createFixture()
    const amy = fixture.simulator.phone('amy')
    await amy.scan(await fixture.showQrcode('wb1_one', 600))
    await amy.follow({ lingeredMs: 300_000 })
    expect(pushed(fixture)).toMatchObject([{ Event: 'subscribe', EventKey: '' }])
  })

  test('sends the follow without a scene if there was no scan', async () => {
    const fixture = createFixture()
    await fixture.simulator.phone('amy').follow()
    expect(pushed(fixture)).toMatchObject([{ Event: 'subscribe', EventKey: '' }])
  })

  test('sends no message if the person already follows the account', async () => {
    const fixture = createFixture()
    await fixture.simulator.phone('amy').follow()
    await fixture.simulator.phone('amy').follow()
    expect(pushed(fixture)).toHaveLength(1)
  })
})

describe('unfollow', () => {
  test('sends unsubscribe, and deletes the chat', async () => {
    const fixture = createFixture()
    const amy = fixture.simulator.phone('amy')
    await amy.follow()
    await amy.sendText('你好')
    await amy.unfollow()
    expect(pushed(fixture).at(-1)).toMatchObject({ Event: 'unsubscribe', EventKey: '' })
    expect(amy.chat).toEqual([])
  })

  test('sends a new CreateTime for each event, even if a test follows and unfollows within a second', async () => {
    const fixture = createFixture()
    const amy = fixture.simulator.phone('amy')
    for (let time = 0; time < 3; time += 1) {
      await amy.scan(await fixture.showQrcode(`wb1_${time}`), { follow: true })
      await amy.unfollow()
    }
    const start = fixture.time.clock() / 1000
    const seconds = pushed(fixture).map((fields) => `${fields?.Event} ${Number(fields?.CreateTime) - start}`)
    expect(seconds).toEqual([
      'subscribe 0',
      'unsubscribe 0',
      'subscribe 0',
      'unsubscribe 1',
      'subscribe 1',
      'unsubscribe 2',
    ])
  })

  test('displays no notice if the callback of an unfollow fails', async () => {
    const fixture = createFixture(() => new Response('oops', { status: 404 }))
    const amy = fixture.simulator.phone('amy')
    void amy.follow()
    const left = amy.unfollow()
    for (let time = 0; time < 3; time += 1) await fixture.time.advance(5000)
    await left
    expect(amy.chat).toEqual([])
  })

  test('keeps the openid when the person follows again', async () => {
    const fixture = createFixture()
    const amy = fixture.simulator.phone('amy')
    await amy.follow()
    await amy.unfollow()
    await amy.follow()
    expect(new Set(pushed(fixture).map((fields) => fields?.FromUserName))).toEqual(new Set([amy.openid]))
  })
})

describe('closeAccount and revokeAuthorization', () => {
  test('send an event whose sender is the platform and whose OpenID is the person', async () => {
    const fixture = createFixture()
    const { simulator } = fixture
    const amy = simulator.phone('amy')
    await amy.follow()
    await amy.revokeAuthorization()
    expect(amy.following).not.toBeNull()
    await amy.closeAccount()
    expect(amy.following).toBeNull()
    const [, revoked, closed] = pushed(fixture)
    const common = { MsgType: 'event', OpenID: amy.openid, AppID: simulator.account.appId }
    expect(revoked).toMatchObject({ ...common, Event: 'user_authorization_revoke', RevokeInfo: '205' })
    expect(closed).toMatchObject({ ...common, Event: 'user_authorization_cancellation' })
    expect(revoked?.FromUserName).toMatch(/^o.{27}$/)
    expect(revoked?.FromUserName).not.toBe(amy.openid)
    expect(closed?.FromUserName).toBe(revoked?.FromUserName)
  })
})

describe('sendText', () => {
  test('sends the text with a MsgId above 2^53', async () => {
    const fixture = createFixture()
    const amy = fixture.simulator.phone('amy')
    await amy.follow()
    await amy.sendText('解绑 ]]> <b>')
    const text = pushed(fixture).at(-1)
    expect(text).toMatchObject({ MsgType: 'text', Content: '解绑 ]]> <b>' })
    expect(BigInt(text?.MsgId ?? 0)).toBeGreaterThan(2n ** 53n)
    expect(amy.chat).toMatchObject([{ from: 'person', content: '解绑 ]]> <b>' }])
  })

  test('throws if the person does not follow the account', async () => {
    await expect(createFixture().simulator.phone('amy').sendText('hi')).rejects.toThrow('does not follow')
  })
})

describe('tap', () => {
  test('sends the text and the id of a menu link as a message of the person', async () => {
    const fixture = createFixture()
    const amy = fixture.simulator.phone('amy')
    await amy.follow()
    await amy.tap('weixin://bizmsgmenu?msgmenuid=1&msgmenucontent=%E7%A1%AE%E8%AE%A4')
    expect(pushed(fixture).at(-1)).toMatchObject({ MsgType: 'text', Content: '确认', bizmsgmenuid: '1' })
  })

  test('throws if the link does not send a message', async () => {
    const { simulator } = createFixture()
    await simulator.phone('amy').follow()
    await expect(simulator.phone('amy').tap('https://example.com')).rejects.toThrow(TypeError)
  })
})

describe('toChatParts', () => {
  test('splits a text at its links and keeps other markup as text', () => {
    expect(toChatParts('绑定 <b>A</b>？<a href="weixin://bizmsgmenu?msgmenuid=1&msgmenucontent=1">确认</a>。')).toEqual(
      [
        { text: '绑定 <b>A</b>？' },
        { text: '确认', href: 'weixin://bizmsgmenu?msgmenuid=1&msgmenucontent=1' },
        { text: '。' },
      ],
    )
  })
})

describe('createSimulator', () => {
  test('scans the newest QR code and follows in one call', async () => {
    const fixture = createFixture()
    await fixture.showQrcode('wb1_old')
    await fixture.showQrcode('wb1_new')
    expect(await fixture.simulator.phone('amy').scan(undefined, { follow: true })).toBe('chat')
    expect(pushed(fixture)).toMatchObject([{ Event: 'subscribe', EventKey: 'qrscene_wb1_new' }])
  })

  test('creates a phone for a new name, and returns the same phone later', async () => {
    const first = createFixture()
    await first.simulator.phone('test-42').follow()
    const again = createFixture(undefined, { account: first.simulator.account, remembered: first.simulator.memory() })
    expect(again.simulator.phone('test-42').following).not.toBeNull()
    expect(() => first.simulator.phone('no name')).toThrow(TypeError)
  })

  test('gives each person a different openid that does not change', () => {
    const { simulator } = createFixture()
    const [amy, bo] = [simulator.phone('amy').openid, simulator.phone('bo').openid]
    expect(amy).toMatch(/^o[A-Za-z0-9_-]{27}$/)
    expect(bo.slice(0, 6)).toBe(amy.slice(0, 6))
    expect(bo).not.toBe(amy)
  })

  test('restores followers, chats and valid QR codes from the saved state', async () => {
    const first = createFixture()
    await first.simulator.phone('amy').follow()
    await first.simulator.phone('amy').sendText('hi')
    const url = await first.showQrcode('wb1_one')
    const remembered = structuredClone(first.simulator.memory())
    const second = createFixture(undefined, { account: first.simulator.account, remembered })
    const amy = second.simulator.phone('amy')
    expect(amy.chat).toMatchObject([{ content: 'hi' }])
    expect(await amy.scan(url)).toBe('chat')
  })

  test('rejects an EncodingAESKey that WeChat’s console rejects', () => {
    expect(() => createFixture(undefined, { account: { encodingAesKey: 'short' } })).toThrow(TypeError)
  })

  test('when it is closed, aborts running deliveries and records no faults', async () => {
    const { simulator, time } = createFixture(() => new Promise<Response>(() => {}))
    const followed = simulator.phone('amy').follow()
    simulator.close()
    await followed
    expect(time.waiting()).toBe(0)
    expect(simulator.phone('amy').chat.map(({ content }) => content)).not.toContain(FAULT_NOTICE)
  })
})
