import { describe, expect, test } from 'vitest'
import { FAULT_NOTICE, toChatParts } from '../../../demo/simulator/chat.ts'
import { parseXml } from '../../../server/wechat/xml.ts'
import { setStage } from './simulator-fixture.ts'

/** The messages pushed so far, opened. */
const pushed = ({ simulator }: ReturnType<typeof setStage>) =>
  simulator.wire
    .since(0)
    .filter(({ kind }) => kind === 'callback')
    .map(({ opened }) => parseXml(opened))

describe('scan', () => {
  test('pushes SCAN with the bare scene and the ticket for a follower', async () => {
    const stage = setStage()
    const amy = stage.simulator.phone('amy')
    await amy.follow()
    expect(await amy.scan(await stage.showQrcode('wb1_one'))).toBe('chat')
    expect(pushed(stage).at(-1)).toEqual({
      ToUserName: stage.simulator.account.originalId,
      FromUserName: amy.openid,
      CreateTime: String(stage.time.clock() / 1000),
      MsgType: 'event',
      Event: 'SCAN',
      EventKey: 'wb1_one',
      Ticket: expect.stringMatching(/^gQ/),
    })
  })

  test('pushes nothing for a newcomer, who sees the follow page', async () => {
    const stage = setStage()
    expect(await stage.simulator.phone('amy').scan(await stage.showQrcode())).toBe('follow')
    expect(pushed(stage)).toEqual([])
  })

  test('pushes nothing for a code past its end, and says so', async () => {
    const stage = setStage()
    const amy = stage.simulator.phone('amy')
    await amy.follow()
    const url = await stage.showQrcode('wb1_one', 120)
    await stage.time.advance(120_000)
    expect(await amy.scan(url)).toBe('expired')
    expect(pushed(stage)).toHaveLength(1)
  })

  test('pushes again for every scan, with its own CreateTime', async () => {
    const stage = setStage()
    const amy = stage.simulator.phone('amy')
    await amy.follow()
    const url = await stage.showQrcode()
    await amy.scan(url)
    await stage.time.advance(1000)
    await amy.scan(url)
    const [first, second] = pushed(stage).slice(1)
    expect(Number(second?.CreateTime) - Number(first?.CreateTime)).toBe(1)
  })

  test('knows no code that WeChat did not make', async () => {
    expect(await setStage().simulator.phone('amy').scan('https://example.com')).toBe('unknown')
  })
})

describe('follow', () => {
  test('pushes subscribe with qrscene_ and the ticket after a scan', async () => {
    const stage = setStage()
    const amy = stage.simulator.phone('amy')
    await amy.scan(await stage.showQrcode('wb1_one'))
    await amy.follow()
    expect(pushed(stage)).toMatchObject([
      { Event: 'subscribe', EventKey: 'qrscene_wb1_one', Ticket: expect.any(String) },
    ])
  })

  test('keeps the scene for 4 minutes on the follow page, also when the code ends meanwhile', async () => {
    const stage = setStage()
    const amy = stage.simulator.phone('amy')
    await amy.scan(await stage.showQrcode('wb1_one', 60))
    await stage.time.advance(240_000)
    await amy.follow()
    expect(pushed(stage)).toMatchObject([{ EventKey: 'qrscene_wb1_one' }])
  })

  test('loses the scene after 5 minutes on the follow page', async () => {
    const stage = setStage()
    const amy = stage.simulator.phone('amy')
    await amy.scan(await stage.showQrcode('wb1_one', 600))
    await stage.time.advance(300_000)
    await amy.follow()
    expect(pushed(stage)).toMatchObject([{ Event: 'subscribe', EventKey: '' }])
    expect(pushed(stage)[0]).not.toHaveProperty('Ticket')
  })

  test('loses the scene of who is said to have lingered so long', async () => {
    const stage = setStage()
    const amy = stage.simulator.phone('amy')
    await amy.scan(await stage.showQrcode('wb1_one', 600))
    await amy.follow({ lingeredMs: 300_000 })
    expect(pushed(stage)).toMatchObject([{ Event: 'subscribe', EventKey: '' }])
  })

  test('carries no scene without a scan', async () => {
    const stage = setStage()
    await stage.simulator.phone('amy').follow()
    expect(pushed(stage)).toMatchObject([{ Event: 'subscribe', EventKey: '' }])
  })

  test('pushes nothing for who follows already', async () => {
    const stage = setStage()
    await stage.simulator.phone('amy').follow()
    await stage.simulator.phone('amy').follow()
    expect(pushed(stage)).toHaveLength(1)
  })
})

describe('unfollow', () => {
  test('pushes unsubscribe, and takes the chat away', async () => {
    const stage = setStage()
    const amy = stage.simulator.phone('amy')
    await amy.follow()
    await amy.sendText('你好')
    await amy.unfollow()
    expect(pushed(stage).at(-1)).toMatchObject({ Event: 'unsubscribe', EventKey: '' })
    expect(amy.chat).toEqual([])
  })

  test('is never taken for its own repetition, however fast a test follows and leaves', async () => {
    const stage = setStage()
    const amy = stage.simulator.phone('amy')
    for (let time = 0; time < 3; time += 1) {
      await amy.scan(await stage.showQrcode(`wb1_${time}`), { follow: true })
      await amy.unfollow()
    }
    const start = stage.time.clock() / 1000
    const seconds = pushed(stage).map((fields) => `${fields?.Event} ${Number(fields?.CreateTime) - start}`)
    expect(seconds).toEqual([
      'subscribe 0',
      'unsubscribe 0',
      'subscribe 0',
      'unsubscribe 1',
      'subscribe 1',
      'unsubscribe 2',
    ])
  })

  test('shows nothing to who has left when the callback fails', async () => {
    const stage = setStage(() => new Response('oops', { status: 404 }))
    const amy = stage.simulator.phone('amy')
    void amy.follow()
    const left = amy.unfollow()
    for (let time = 0; time < 3; time += 1) await stage.time.advance(5000)
    await left
    expect(amy.chat).toEqual([])
  })

  test('leaves the person the same openid when they come back', async () => {
    const stage = setStage()
    const amy = stage.simulator.phone('amy')
    await amy.follow()
    await amy.unfollow()
    await amy.follow()
    expect(new Set(pushed(stage).map((fields) => fields?.FromUserName))).toEqual(new Set([amy.openid]))
  })
})

describe('sendText', () => {
  test('pushes the text with a MsgId beyond 2^53', async () => {
    const stage = setStage()
    const amy = stage.simulator.phone('amy')
    await amy.follow()
    await amy.sendText('解绑 ]]> <b>')
    const text = pushed(stage).at(-1)
    expect(text).toMatchObject({ MsgType: 'text', Content: '解绑 ]]> <b>' })
    expect(BigInt(text?.MsgId ?? 0)).toBeGreaterThan(2n ** 53n)
    expect(amy.chat).toMatchObject([{ from: 'person', content: '解绑 ]]> <b>' }])
  })

  test('is refused for who does not follow', async () => {
    await expect(setStage().simulator.phone('amy').sendText('hi')).rejects.toThrow('does not follow')
  })
})

describe('tap', () => {
  test('sends the text of a menu link as the person’s own, with its id', async () => {
    const stage = setStage()
    const amy = stage.simulator.phone('amy')
    await amy.follow()
    await amy.tap('weixin://bizmsgmenu?msgmenuid=1&msgmenucontent=%E7%A1%AE%E8%AE%A4')
    expect(pushed(stage).at(-1)).toMatchObject({ MsgType: 'text', Content: '确认', bizmsgmenuid: '1' })
  })

  test('sends nothing for another link', async () => {
    const { simulator } = setStage()
    await simulator.phone('amy').follow()
    await expect(simulator.phone('amy').tap('https://example.com')).rejects.toThrow(TypeError)
  })
})

describe('toChatParts', () => {
  test('splits a text at its links and leaves other markup as it stands', () => {
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
  test('scans the newest code in one call, and follows in the same', async () => {
    const stage = setStage()
    await stage.showQrcode('wb1_old')
    await stage.showQrcode('wb1_new')
    expect(await stage.simulator.phone('amy').scan(undefined, { follow: true })).toBe('chat')
    expect(pushed(stage)).toMatchObject([{ Event: 'subscribe', EventKey: 'qrscene_wb1_new' }])
  })

  test('gives a phone to whoever is named, and remembers it', async () => {
    const first = setStage()
    await first.simulator.phone('test-42').follow()
    const again = setStage(undefined, { account: first.simulator.account, remembered: first.simulator.memory() })
    expect(again.simulator.phone('test-42').following).not.toBeNull()
    expect(() => first.simulator.phone('no name')).toThrow(TypeError)
  })

  test('gives each person one openid, and another to the next', () => {
    const { simulator } = setStage()
    const [amy, bo] = [simulator.phone('amy').openid, simulator.phone('bo').openid]
    expect(amy).toMatch(/^o[A-Za-z0-9_-]{27}$/)
    expect(bo.slice(0, 6)).toBe(amy.slice(0, 6))
    expect(bo).not.toBe(amy)
  })

  test('goes on where it stopped: who follows, the chat, and the codes that live', async () => {
    const first = setStage()
    await first.simulator.phone('amy').follow()
    await first.simulator.phone('amy').sendText('hi')
    const url = await first.showQrcode('wb1_one')
    const remembered = structuredClone(first.simulator.memory())
    const second = setStage(undefined, { account: first.simulator.account, remembered })
    const amy = second.simulator.phone('amy')
    expect(amy.chat).toMatchObject([{ content: 'hi' }])
    expect(await amy.scan(url)).toBe('chat')
  })

  test('refuses a key that the console would not save', () => {
    expect(() => setStage(undefined, { account: { encodingAesKey: 'short' } })).toThrow(TypeError)
  })

  test('ends what is under way when it is closed, and blames nobody', async () => {
    const { simulator, time } = setStage(() => new Promise<Response>(() => {}))
    const followed = simulator.phone('amy').follow()
    simulator.close()
    await followed
    expect(time.waiting()).toBe(0)
    expect(simulator.phone('amy').chat.map(({ content }) => content)).not.toContain(FAULT_NOTICE)
  })
})
