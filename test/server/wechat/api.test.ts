import { setImmediate } from 'node:timers/promises'
import { afterEach, describe, expect, test, vi } from 'vitest'
import type { Fetch } from '../../../server/platform.ts'
import { createAccessTokens } from '../../../server/wechat/access-token.ts'
import { createWechatApi } from '../../../server/wechat/api.ts'
import { toWechatError } from '../../../server/wechat/errcode.ts'
import { createFakeTime } from '../../support/fake-time.ts'

const settings = { appId: 'wx1', appSecret: 'the-secret', apiBase: 'http://wechat.test' }

type Call = { path: string; token: string | null; body: Record<string, unknown> }
type Answer = (call: Call, signal: AbortSignal) => unknown

/** A fake WeChat API that records each call. The test makes the answers. The tokens are t1, t2, …, each valid for two hours. */
function open(answer: Answer = () => ({ ticket: 'T', url: 'U', expire_seconds: 60 }), own: object = {}) {
  const time = createFakeTime()
  const calls: Call[] = []
  let tokens = 0
  const fetch: Fetch = async (input, init) => {
    const { pathname, searchParams } = new URL(input)
    const call = {
      path: pathname,
      token: searchParams.get('access_token'),
      body: JSON.parse(String(init?.body ?? '{}')),
    }
    calls.push(call)
    const isToken = pathname === '/cgi-bin/stable_token' || pathname === '/own-token'
    const given =
      (await answer(call, init?.signal ?? signal)) ??
      (isToken ? { access_token: `t${++tokens}`, expires_in: 7200 } : {})
    return given instanceof Response ? given : Response.json(given)
  }
  const accessTokens = createAccessTokens({ ...settings, ...own }, { fetch, clock: time.clock })
  const delays: number[] = []
  const delay = async (ms: number) => void delays.push(ms)
  const api = createWechatApi({ ...settings, accessTokens, fetch, delay })
  const count = (path: string) => calls.filter((call) => call.path === path).length
  return { time, calls, accessTokens, api, delays, count }
}

const signal = new AbortController().signal

const hang = (cut: AbortSignal) =>
  new Promise((_, reject) => cut.addEventListener('abort', () => reject(cut.reason), { once: true }))

const onApi =
  (answer: unknown): Answer =>
  ({ path }) =>
    path.includes('token') ? undefined : answer

describe('createAccessTokens', () => {
  const tokenOnly: Answer = () => undefined

  test('sends one stable_token request for concurrent calls, and never with force_refresh', async () => {
    const { accessTokens, calls } = open(tokenOnly)
    const tokens = await Promise.all(Array.from({ length: 20 }, () => accessTokens.get(signal)))
    expect(new Set(tokens)).toEqual(new Set(['t1']))
    expect(calls).toEqual([
      {
        path: '/cgi-bin/stable_token',
        token: null,
        body: { grant_type: 'client_credential', appid: 'wx1', secret: 'the-secret', force_refresh: false },
      },
    ])
  })

  test('renews a token before it expires, while calls use the old one', async () => {
    const { accessTokens, time, calls } = open(tokenOnly)
    await accessTokens.get(signal)
    time.advance(7_079_000)
    expect([await accessTokens.get(signal), calls.length]).toEqual(['t1', 1])
    time.advance(2_000)
    expect([await accessTokens.get(signal), await accessTokens.get(signal)]).toEqual(['t1', 't1'])
    await setImmediate()
    expect([await accessTokens.get(signal), calls.length]).toEqual(['t2', 2])
    expect(accessTokens.expiresAt()).toBe(time.clock() + 7_200_000)
  })

  test('uses the old token while a renewal hangs, and sends no second request', async () => {
    let isHanging = false
    const { accessTokens, time, calls } = open(() => (isHanging ? new Promise(() => {}) : undefined))
    await accessTokens.get(signal)
    isHanging = true
    time.advance(7_100_000)
    expect([await accessTokens.get(signal), await accessTokens.get(signal)]).toEqual(['t1', 't1'])
    expect(calls).toHaveLength(2)
  })

  test('raises no unhandled rejection when a renewal fails after its token was dropped', async () => {
    let fail = (_: unknown) => {}
    let isHanging = false
    const { accessTokens, time } = open(() => (isHanging ? new Promise((_, reject) => (fail = reject)) : undefined))
    await accessTokens.get(signal)
    isHanging = true
    time.advance(7_100_000)
    await accessTokens.get(signal)
    accessTokens.drop('t1')
    isHanging = false
    fail(new TypeError('fetch failed'))
    await setImmediate()
    expect(await accessTokens.get(signal)).toBe('t2')
  })

  test.each([{}, { access_token: '', expires_in: 7200 }, { access_token: 't', expires_in: '7200' }, []])(
    'refuses the token answer %j',
    async (answer) => {
      const { accessTokens } = open(() => answer)
      await expect(accessTokens.get(signal)).rejects.toMatchObject({ code: 'WECHAT_UNAVAILABLE' })
    },
  )

  test.each([
    ['a lone surrogate', { access_token: 'a\ud800', expires_in: 7200 }],
    ['a line break', { access_token: 'a\nb', expires_in: 7200 }],
    ['2,049 characters', { access_token: 'a'.repeat(2_049), expires_in: 7200 }],
    ['a number', { access_token: 1, expires_in: 7200 }],
    ['a lifetime of 0', { access_token: 'a', expires_in: 0 }],
    ['a negative lifetime', { access_token: 'a', expires_in: -1 }],
    ['an infinite lifetime', '{"access_token":"a","expires_in":1e999}'],
    ['no lifetime', { access_token: 'a', expires_in: null }],
    ['an object for the lifetime', { access_token: 'a', expires_in: { valueOf: 1 } }],
  ])('refuses a token with %s, and does not keep it', async (_, bad) => {
    let isBad = true
    const { accessTokens, calls } = open(() => {
      if (!isBad) return undefined
      return typeof bad === 'string' ? new Response(bad) : bad
    })
    await expect(accessTokens.get(signal)).rejects.toMatchObject({ code: 'WECHAT_UNAVAILABLE' })
    expect(accessTokens.expiresAt()).toBeUndefined()
    isBad = false
    expect([await accessTokens.get(signal), calls.length]).toEqual(['t1', 2])
  })

  test('keeps the old token when a renewal returns a token that cannot be sent', async () => {
    let isBad = false
    const { accessTokens, time } = open(() => (isBad ? { access_token: '\ud800', expires_in: 7200 } : undefined))
    await accessTokens.get(signal)
    isBad = true
    time.advance(7_100_000)
    for (let i = 0; i < 2; i++) {
      expect(await accessTokens.get(signal)).toBe('t1')
      await setImmediate()
    }
  })

  test('renews a token after two hours, even if the token service names a longer lifetime', async () => {
    const { accessTokens, time } = open(() => ({ access_token: 'a', expires_in: 1e15 }))
    await accessTokens.get(signal)
    expect(accessTokens.expiresAt()).toBe(time.clock() + 7_200_000)
  })

  test('drops the token that failed, but not a newer token', async () => {
    const { accessTokens } = open(tokenOnly)
    await accessTokens.get(signal)
    accessTokens.drop('another')
    expect(await accessTokens.get(signal)).toBe('t1')
    accessTokens.drop('t1')
    expect(await accessTokens.get(signal)).toBe('t2')
  })

  test('uses the old token until it expires when the renewal fails', async () => {
    let isDown = false
    const { accessTokens, time } = open(() => (isDown ? { errcode: -1, errmsg: 'busy' } : undefined))
    await accessTokens.get(signal)
    isDown = true
    time.advance(7_100_000)
    expect(await accessTokens.get(signal)).toBe('t1')
    time.advance(100_000)
    await expect(accessTokens.get(signal)).rejects.toMatchObject({ code: 'WECHAT_UNAVAILABLE' })
  })

  test('requests the token from the operator’s token service when one is configured', async () => {
    const { accessTokens, calls } = open(tokenOnly, { accessTokenUrl: 'http://own.test/own-token' })
    expect(await accessTokens.get(signal)).toBe('t1')
    expect(calls.map(({ path }) => path)).toEqual(['/own-token'])
  })

  test.each([
    [40164, 'WECHAT_FORBIDDEN'],
    [40125, 'WECHAT_FORBIDDEN'],
    [40001, 'WECHAT_FORBIDDEN'],
  ])('does not retry after errcode %i', async (errcode, code) => {
    const { accessTokens, calls } = open(() => ({ errcode, errmsg: 'no' }))
    await expect(accessTokens.get(signal)).rejects.toMatchObject({ code })
    expect(calls).toHaveLength(1)
  })

  test('rejects only the call whose signal was aborted', async () => {
    const { accessTokens } = open(tokenOnly)
    const hurried = new AbortController()
    const [gone, waiting] = [accessTokens.get(hurried.signal), accessTokens.get(signal)]
    hurried.abort()
    await expect(gone).rejects.toMatchObject({ code: 'WECHAT_UNAVAILABLE' })
    expect(await waiting).toBe('t1')
  })
})

describe('createQrcode', () => {
  test('requests a QR_STR_SCENE with an expiry, and the scene under action_info.scene', async () => {
    const { api, calls } = open(onApi({ ticket: 'T', url: 'U', expire_seconds: 60 }))
    expect(await api.createQrcode('wb1_x', 60)).toEqual({ ticket: 'T', url: 'U', expireSeconds: 60 })
    expect(calls.at(-1)).toEqual({
      path: '/cgi-bin/qrcode/create',
      token: 't1',
      body: { expire_seconds: 60, action_name: 'QR_STR_SCENE', action_info: { scene: { scene_str: 'wb1_x' } } },
    })
  })

  test.each([40001, 40014, 42001])('drops an invalid token (errcode %i) and retries once', async (errcode) => {
    const { api, calls } = open(({ path, token }) => {
      if (path.includes('token')) return undefined
      return token === 't1' ? { errcode, errmsg: 'dead' } : { ticket: 'T', url: 'U' }
    })
    expect(await api.createQrcode('wb1_x', 60)).toMatchObject({ ticket: 'T' })
    expect(calls.map(({ token }) => token)).toEqual([null, 't1', null, 't2'])
  })

  test('does not retry again when the new token is invalid too', async () => {
    const { api, count } = open(onApi({ errcode: 40001, errmsg: 'dead' }))
    await expect(api.createQrcode('wb1_x', 60)).rejects.toMatchObject({ code: 'WECHAT_UNAVAILABLE' })
    expect([count('/cgi-bin/stable_token'), count('/cgi-bin/qrcode/create')]).toEqual([2, 2])
  })

  test('retries twice with a pause while WeChat is busy', async () => {
    const { api, delays, count } = open(onApi({ errcode: -1, errmsg: 'system error' }))
    await expect(api.createQrcode('wb1_x', 60)).rejects.toMatchObject({ code: 'WECHAT_UNAVAILABLE' })
    expect([delays, count('/cgi-bin/qrcode/create')]).toEqual([[150, 450], 3])
  })

  test.each<[string, () => unknown]>([
    ['HTTP 502', () => new Response('<html>', { status: 502 })],
    ['HTTP 500 with a QR code', () => Response.json({ ticket: 'T', url: 'U' }, { status: 500 })],
    ['a page', () => new Response('<html>')],
    ['no url', () => ({ ticket: 'T' })],
    ['an empty url', () => ({ ticket: 'T', url: '' })],
    ['a url with a space', () => ({ ticket: 'T', url: 'http://weixin.qq.com/q/ 02' })],
    ['a url of 513 characters', () => ({ ticket: 'T', url: 'u'.repeat(513) })],
    ['an empty ticket', () => ({ ticket: '', url: 'U' })],
    ['a ticket with a lone surrogate', () => ({ ticket: '\ud800', url: 'U' })],
    ['a ticket of 513 characters', () => ({ ticket: 't'.repeat(513), url: 'U' })],
    ['a lifetime of 0', () => ({ ticket: 'T', url: 'U', expire_seconds: 0 })],
    ['a negative lifetime', () => ({ ticket: 'T', url: 'U', expire_seconds: -60 })],
    ['an infinite lifetime', () => new Response('{"ticket":"T","url":"U","expire_seconds":1e999}')],
    ['a lifetime that is a text', () => ({ ticket: 'T', url: 'U', expire_seconds: 'soon' })],
    ['a lifetime that is an object', () => ({ ticket: 'T', url: 'U', expire_seconds: { valueOf: 1 } })],
    ['null', () => new Response('null')],
    ['a list', () => []],
    ['an errcode that is an object', () => ({ errcode: { toString: 1 } })],
    ['an errmsg that is an object', () => ({ errcode: -1, errmsg: { toString: 1 } })],
    [
      'a connection that fails',
      () => {
        throw new TypeError('fetch failed')
      },
    ],
  ])('reports %s as WECHAT_UNAVAILABLE, without the token', async (_, answer) => {
    const { api } = open(({ path }) => (path.includes('token') ? undefined : answer()))
    const error = await api.createQrcode('wb1_x', 60).catch((thrown: Error) => thrown)
    expect(error).toMatchObject({ code: 'WECHAT_UNAVAILABLE' })
    expect(String(error)).not.toMatch(/t1|the-secret/)
  })
})

describe('the lifetime of a QR code', () => {
  test.each([
    [{ expire_seconds: 30 }, 30],
    [{ expire_seconds: 86_400 }, 60],
    [{}, 60],
  ])('of WeChat’s answer %j is %i s, which is at most the requested lifetime', async (more, expected) => {
    const { api } = open(onApi({ ticket: 'T', url: 'U', ...more }))
    expect((await api.createQrcode('wb1_x', 60)).expireSeconds).toBe(expected)
  })
})

describe('a call that WeChat does not answer', () => {
  afterEach(() => vi.restoreAllMocks())

  test.each(['/cgi-bin/stable_token', '/cgi-bin/qrcode/create'])('is aborted after 4 s at %s', async (path) => {
    const ends: { ms: number; end: () => void }[] = []
    vi.spyOn(AbortSignal, 'timeout').mockImplementation((ms) => {
      const controller = new AbortController()
      ends.push({ ms, end: () => controller.abort(new DOMException('late', 'TimeoutError')) })
      return controller.signal
    })
    const { api, calls } = open((call, cut) => (call.path === path ? hang(cut) : undefined))
    const created = api.createQrcode('wb1_x', 60)
    while (calls.at(-1)?.path !== path) await setImmediate()
    for (const { end } of ends) end()
    await expect(created).rejects.toMatchObject({ code: 'WECHAT_UNAVAILABLE', retryable: true })
    expect(ends.map(({ ms }) => ms)).toEqual([4_000, 4_000])
  })
})

describe('getUserInfo', () => {
  test.each([
    [{ openid: 'o', unionid: 'u' }, 'u'],
    [{ openid: 'o', unionid: '' }, undefined],
    [{ openid: 'o', unionid: 5 }, undefined],
    [{ openid: 'o', unionid: ['u'] }, undefined],
    [{ openid: 'o', unionid: 'u\0' }, undefined],
    [{ openid: 'o', unionid: '\ud800' }, undefined],
    [{ openid: 'o', unionid: 'u'.repeat(513) }, undefined],
    [{ openid: 'o', subscribe: 0 }, undefined],
  ])('reads %o as %s', async (answer, expected) => {
    const { api } = open(onApi(answer))
    expect((await api.getUserInfo('o')).unionid).toBe(expected)
  })
})

describe('getUserInfos', () => {
  test('requests all users in one call, and assigns the answers by openid', async () => {
    const list = [
      { openid: 'b', unionid: 'ub' },
      { openid: 'c', unionid: '' },
      { openid: 'a', unionid: 'ua', subscribe: 1 },
      null,
      { openid: 'd' },
    ]
    const { api, calls } = open(onApi({ user_info_list: list }))
    expect(await api.getUserInfos(['a', 'b', 'c', 'd'])).toEqual([
      { unionid: 'ua', isFollower: true },
      { unionid: 'ub', isFollower: false },
      { isFollower: false },
      { isFollower: false },
    ])
    const user_list = ['a', 'b', 'c', 'd'].map((openid) => ({ openid, lang: 'zh_CN' }))
    expect(calls.at(-1)).toMatchObject({ path: '/cgi-bin/user/info/batchget', body: { user_list } })
  })

  test.each([
    [{ errcode: 40003, errmsg: 'invalid openid' }, 'WECHAT_FORBIDDEN'],
    [{ user_info_list: 'none' }, 'WECHAT_UNAVAILABLE'],
    [{ user_info_list: [{ openid: 'a', unionid: 'ua' }] }, 'WECHAT_UNAVAILABLE'],
    [{}, 'WECHAT_UNAVAILABLE'],
  ])('refuses %o', async (answer, code) => {
    const { api } = open(onApi(answer))
    await expect(api.getUserInfos(['a', 'b'])).rejects.toMatchObject({ code })
  })
})

describe('toWechatError', () => {
  test.each([
    [-1, 'WECHAT_UNAVAILABLE'],
    [45009, 'WECHAT_QUOTA'],
    [45011, 'WECHAT_QUOTA'],
    [48001, 'WECHAT_FORBIDDEN'],
    [40164, 'WECHAT_FORBIDDEN'],
    [61004, 'WECHAT_FORBIDDEN'],
    [40243, 'WECHAT_FORBIDDEN'],
    [50002, 'WECHAT_FORBIDDEN'],
    [99999, 'WECHAT_FORBIDDEN'],
  ])('maps errcode %i to %s, with a fix in the message and the text of WeChat only in the cause', (errcode, code) => {
    const error = toWechatError({ errcode, errmsg: 'hint: secret rid: 1' })
    expect(error).toMatchObject({ code, cause: { errcode, errmsg: 'hint: secret rid: 1' } })
    expect(error.message).toContain(String(errcode))
    expect(error.message).not.toContain('secret rid')
  })
})
