import { describe, expect, test } from 'vitest'
import { createFixture } from './simulator-fixture.ts'

describe('GET /cgi-bin/user/info', () => {
  test('returns the time and the scene of the follow, and no nickname', async () => {
    const { simulator, time, get, withToken, showQrcode } = createFixture()
    const amy = simulator.phone('amy')
    await amy.scan(await showQrcode('wb1_one'))
    await amy.follow()
    expect(await get(await withToken(`user/info?openid=${amy.openid}&lang=zh_CN`))).toMatchObject({
      subscribe: 1,
      openid: amy.openid,
      unionid: amy.unionid,
      nickname: '',
      subscribe_time: time.clock() / 1000,
      subscribe_scene: 'ADD_SCENE_QR_CODE',
      qr_scene: 0,
      qr_scene_str: 'wb1_one',
    })
  })

  test('returns the scene of the follow, even after a scan of another QR code', async () => {
    const { simulator, get, withToken, showQrcode } = createFixture()
    const amy = simulator.phone('amy')
    await amy.follow()
    await amy.scan(await showQrcode('wb1_later'))
    const answer = await get(await withToken(`user/info?openid=${amy.openid}`))
    expect(answer).toMatchObject({ subscribe_scene: 'ADD_SCENE_SEARCH', qr_scene_str: '' })
  })

  test('returns no unionid if the account belongs to no Open Platform account', async () => {
    const { simulator, get, withToken } = createFixture(undefined, { account: { hasUnionid: false } })
    const answer = await get(await withToken(`user/info?openid=${simulator.phone('amy').openid}`))
    expect(answer).toEqual({ subscribe: 0, openid: simulator.phone('amy').openid, tagid_list: [] })
  })

  test('answers an unknown openid with errcode 40003', async () => {
    const { get, withToken } = createFixture()
    expect((await get(await withToken('user/info?openid=oSomeoneElse'))).errcode).toBe(40003)
  })
})

describe('POST /cgi-bin/user/info/batchget', () => {
  const ask = async (list: unknown) => {
    const { simulator, post, withToken } = createFixture()
    const user_list = Array.isArray(list) ? list : [{ openid: simulator.phone('amy').openid, lang: 'zh_CN' }]
    return { answer: await post(await withToken('user/info/batchget'), { user_list }), simulator }
  }

  test('returns the same data as `user/info` for each user', async () => {
    const { answer, simulator } = await ask(undefined)
    const { openid, unionid } = simulator.phone('amy')
    expect(answer).toEqual({ user_info_list: [{ subscribe: 0, openid, unionid, tagid_list: [] }] })
  })

  test.each([
    ['an openid of another account', [{ openid: 'oSomeoneElse' }], 40003],
    ['an entry without an openid', [{}], 41009],
    ['nobody', [], 40032],
    ['more than a hundred openids', Array(101).fill({ openid: 'o' }), 40032],
  ])('rejects %s', async (_, list, errcode) => {
    expect((await ask(list)).answer.errcode).toBe(errcode)
  })
})

describe('POST /cgi-bin/openapi/quota/get', () => {
  test('returns the number of calls on this day', async () => {
    const { post, withToken, createQrcode, time } = createFixture()
    await createQrcode({})
    const ask = async () => post(await withToken('openapi/quota/get'), { cgi_path: '/cgi-bin/qrcode/create' })
    expect((await ask()).quota).toEqual({ daily_limit: 100_000, used: 1, remain: 99_999 })
    await time.advance(86_400_000)
    expect((await ask()).quota.used).toBe(0)
  })

  test('a call above the daily limit gets errcode 45009', async () => {
    const { classicToken } = createFixture()
    for (let count = 0; count < 2000; count += 1) await classicToken()
    expect((await classicToken()).errcode).toBe(45009)
  })
})

describe('POST /cgi-bin/callback/check', () => {
  const ask = async (body: unknown, callbackUrl?: string) => {
    const { post, withToken, simulator } = createFixture()
    if (callbackUrl) simulator.setCallbackUrl(callbackUrl)
    return post(await withToken('callback/check'), body)
  }
  const all = { action: 'all', check_operator: 'DEFAULT' }

  test('returns the addresses of the callback’s host and the results of the pings', async () => {
    expect(await ask(all)).toEqual({
      dns: [{ ip: '203.0.113.80', real_operator: 'CAP' }],
      ping: [{ ip: '203.0.113.80', from_operator: 'CAP', package_loss: '0%', time: '23.079ms' }],
    })
    expect(await ask({ action: 'dns', check_operator: 'UNICOM' }, 'http://127.0.0.1:4000/x')).toEqual({
      dns: [{ ip: '127.0.0.1', real_operator: 'CAP' }],
    })
    expect(await ask({ action: 'ping', check_operator: 'UNICOM' }, 'http://[::1]:4000/x')).toEqual({
      ping: [{ ip: '::1', from_operator: 'UNICOM', package_loss: '0%', time: '23.079ms' }],
    })
  })

  test.each([
    [{ ...all, action: 'trace' }, 40202],
    [{ action: 'all' }, 40203],
    ['', 44002],
  ])('answers the body %j with errcode %i', async (body, errcode) => {
    expect((await ask(body)).errcode).toBe(errcode)
  })

  test('answers errcode 40201 if the account has no callback URL', async () => {
    const { post, withToken } = createFixture(undefined, { callbackUrl: undefined })
    expect((await post(await withToken('callback/check'), all)).errcode).toBe(40201)
  })
})

describe('createApi', () => {
  test('answers errcode 40066 for an unknown path', async () => {
    expect((await createFixture().get('menu/get')).errcode).toBe(40066)
  })

  test('records each call and its response in the traffic log', async () => {
    const { simulator, stableToken } = createFixture()
    const answer = await stableToken()
    expect(simulator.wire.since(0)).toMatchObject([
      { kind: 'wechat', title: '/cgi-bin/stable_token', method: 'POST', reply: JSON.stringify(answer) },
    ])
  })
})

describe('createFaults', () => {
  test('makes the API answer an errcode for a given number of calls', async () => {
    const { simulator, stableToken } = createFixture()
    simulator.faults.fail('/cgi-bin/stable_token', 40164, 2)
    expect((await stableToken()).errmsg).toMatch(/^invalid ip 127\.0\.0\.1 ipv6 .*, not in whitelist rid: /)
    expect((await stableToken()).errcode).toBe(40164)
    expect((await stableToken()).errcode).toBeUndefined()
  })

  test.each([
    [-1, 'system error'],
    [40001, /^invalid credential, access_token is invalid or not latest/],
    [40164, 'invalid ip 127.0.0.1 ipv6 ::ffff:127.0.0.1, not in whitelist'],
    [40243, 'AppSecret已被冻结，请登录MP解冻后再次调用。'],
    [45009, 'reach max api daily quota limit'],
    [45011, 'api minute-quota reach limit  must slower  retry next minute'],
    [48001, 'api unauthorized'],
    [48004, 'api forbidden for irregularities, view detail on mp.weixin.qq.com'],
    [50002, 'user limited'],
    [61004, 'access clientip is not registered requestIP: 127.0.0.1'],
    [89501, '此IP正在等待管理员确认,请联系管理员'],
    [89503, '此IP调用需要管理员确认,请联系管理员'],
    [89506, '24小时内该IP被管理员拒绝调用两次，24小时内不可再使用该IP调用'],
    [89507, '1小时内该IP被管理员拒绝调用一次，1小时内不可再使用该IP调用'],
  ])(
    'makes the API answer errcode %i with WeChat’s errmsg, a request id and HTTP status 200',
    async (errcode, words) => {
      const { simulator, stableToken } = createFixture()
      simulator.faults.fail('*', errcode)
      const { errmsg, ...rest } = await stableToken()
      const [, said, rid] = /^(.*) rid: (.*)$/.exec(errmsg) ?? []
      expect(rest).toEqual({ errcode })
      expect(said).toEqual(typeof words === 'string' ? words : expect.stringMatching(words))
      expect(rid).toMatch(/^[0-9a-f]{8}-[0-9a-f]{8}-[0-9a-f]{8}$/)
    },
  )

  test('makes the API answer an errcode until `clear` if the number of calls is Infinity', async () => {
    const { simulator, stableToken } = createFixture()
    simulator.faults.fail('*', -1, Infinity)
    for (let time = 0; time < 5; time += 1) expect((await stableToken()).errcode).toBe(-1)
    simulator.faults.clear()
    expect((await stableToken()).errcode).toBeUndefined()
  })

  test('delays the responses of the API by a given time', async () => {
    const { simulator, stableToken, time } = createFixture()
    simulator.faults.slow('/cgi-bin/stable_token', 3000)
    let answered = false
    const answer = stableToken().then(() => {
      answered = true
    })
    await time.advance(2999)
    expect(answered).toBe(false)
    await time.advance(1)
    await answer
  })

  test('makes the API answer with an HTML page while WeChat is down', async () => {
    const { simulator } = createFixture()
    simulator.faults.setDown(true)
    const down = await simulator.app.request('/cgi-bin/stable_token', { method: 'POST' })
    expect([down.status, down.headers.get('Content-Type')]).toEqual([502, 'text/html; charset=UTF-8'])
    simulator.faults.clear()
    expect((await simulator.app.request('/cgi-bin/stable_token', { method: 'POST' })).status).toBe(200)
  })
})
