import { describe, expect, test } from 'vitest'
import { type Conditions, defaultConditions } from '../../demo/conditions.ts'
import type { Demo } from '../../demo/demo.ts'
import { bindAmy, clientOf, lin, start } from './demo-fixture.ts'

const put = async ({ url }: Demo, body: unknown) =>
  (await fetch(`${url}/demo/conditions`, { method: 'PUT', body: JSON.stringify(body) })).json()

/** Requests a new QR code and returns the response. */
async function newCode(demo: Demo): Promise<{ status: number; code?: string; expiresIn?: number }> {
  const { token } = await (await fetch(`${demo.url}/host/token?user=lin`)).json()
  const headers = { Authorization: `Bearer ${token}` }
  const answer = await fetch(`${demo.url}/widget/qrcode`, { method: 'POST', headers, body: '{"refresh":true}' })
  const isJson = answer.headers.get('Content-Type')?.includes('json')
  return { status: answer.status, ...(isJson ? await answer.json() : {}) }
}

describe('PUT /demo/conditions', () => {
  test.each([
    ['{"confrim":"code"}', /Unknown condition "confrim".*confirm/],
    ['{"confirm":"cod"}', /confirm must be one of .*code/],
    ['confirm', /JSON object/],
  ])('rejects %s, and names the accepted values', async (body, detail) => {
    const demo = await start()
    const response = await fetch(`${demo.url}/demo/conditions`, { method: 'PUT', body })
    expect(response.status).toBe(400)
    expect((await response.json()).detail).toMatch(detail)
  })

  test('sets the given conditions and resets all other conditions', async () => {
    const demo = await start()
    expect(await put(demo, { confirm: 'code', store: 'slow' })).toEqual({
      conditions: { ...defaultConditions, confirm: 'code', store: 'slow' },
      usual: defaultConditions,
      isReal: false,
    })
    expect((await put(demo, {})).conditions).toEqual(defaultConditions)
  })

  test('uses the values of the environment as defaults', async () => {
    const demo = await start(undefined, { CONFIRM: 'reply', WECHAT_MODE: 'plain' })
    expect(demo.conditions()).toEqual({ ...defaultConditions, confirm: 'reply', mode: 'plain' })
    await demo.set({ confirm: 'off' })
    await demo.set({})
    expect(demo.conditions()).toEqual({ ...defaultConditions, confirm: 'reply', mode: 'plain' })
  })

  test('with confirm=code, requires the four digits until the conditions are reset', async () => {
    const demo = await start()
    await demo.set({ confirm: 'code' })
    await bindAmy(demo)
    expect((await clientOf(demo).getBindInfo(lin)).IsBound).toBe(false)
    await demo.set({})
    await demo.simulator
      .phone('bo')
      .scan((await clientOf(demo).getQrCode({ ...lin, isRefresh: true })).Url, { follow: true })
    expect((await clientOf(demo).getBindInfo(lin)).IsBound).toBe(true)
  })

  test.each(['plain', 'compatible', 'secure'] as const)(
    'changes the callback mode of the simulator and of the server: %s',
    async (mode) => {
      const demo = await start(undefined, { WECHAT_MODE: mode === 'plain' ? 'secure' : 'plain' })
      await demo.set({ mode })
      await bindAmy(demo)
      expect((await clientOf(demo).getBindInfo(lin)).IsBound).toBe(true)
      expect(
        demo.wire
          .since(0)
          .find(({ kind }) => kind === 'callback')
          ?.raw.includes('<Encrypt>'),
      ).toBe(mode !== 'plain')
    },
  )

  test('keeps the bindings when a condition replaces the bind server', async () => {
    const demo = await start()
    await bindAmy(demo)
    await demo.set({ conflict: 'allow', unsubscribe: 'mark' })
    await demo.simulator.phone('amy').unfollow()
    expect(await clientOf(demo).getBindInfo(lin)).toMatchObject({ IsBound: true, IsSubscribed: false })
  })

  const shown: [Partial<Conditions>, object][] = [
    [{ ticket: 'short' }, { status: 200, expiresIn: 9 }],
    [{ limits: 'low' }, { status: 429, code: 'RATE_LIMITED' }],
    [{ server: 'down' }, { status: 502 }],
    [{ store: 'down' }, { status: 503, code: 'STORE_UNAVAILABLE' }],
    [{ wechat: 'down' }, { status: 503, code: 'WECHAT_UNAVAILABLE' }],
    [{ errcode: '-1' }, { status: 503, code: 'WECHAT_UNAVAILABLE' }],
    [{ errcode: '40001' }, { status: 503, code: 'WECHAT_UNAVAILABLE' }],
    [{ errcode: '40164' }, { status: 502, code: 'WECHAT_FORBIDDEN' }],
    [{ errcode: '45009' }, { status: 503, code: 'WECHAT_QUOTA' }],
    [{ errcode: '48001' }, { status: 502, code: 'WECHAT_FORBIDDEN' }],
    [{ clock: 'behind' }, { status: 401, code: 'UNAUTHORIZED' }],
  ]
  test.each(shown)(
    'applies %j to requests for a QR code until the conditions are reset',
    async (conditions, answer) => {
      const demo = await start()
      expect(await newCode(demo)).toMatchObject({ status: 200 })
      await demo.set(conditions)
      expect(await newCode(demo)).toMatchObject(answer)
      await demo.set({})
      expect(await newCode(demo)).toMatchObject({ status: 200 })
    },
  )

  test('answers waiting polls with 502 when the server goes down', async () => {
    const demo = await start()
    const { token } = await (await fetch(`${demo.url}/host/token?user=lin`)).json()
    const headers = { Authorization: `Bearer ${token}`, 'If-None-Match': '"0"', Prefer: 'wait=25' }
    const polling = fetch(`${demo.url}/widget/binding`, { headers })
    await expect.poll(() => demo.wire.since(0).some(({ isPending }) => isPending)).toBe(true)
    await demo.set({ server: 'down' })
    expect((await polling).status).toBe(502)
  })

  test('rejects callbacks when the clock of the server is wrong by 10 minutes', async () => {
    const demo = await start()
    const { Url } = await clientOf(demo).getQrCode(lin)
    await demo.set({ clock: 'ahead' })
    void demo.simulator.phone('amy').scan(Url, { follow: true })
    const statusOfCallback = () => demo.wire.since(0).find(({ kind }) => kind === 'callback')?.status
    await expect.poll(statusOfCallback).toBe(403)
  })
})

describe('POST /demo/taken/:person', () => {
  test('binds the person’s WeChat to another user, and a second request changes nothing', async () => {
    const demo = await start()
    for (let time = 0; time < 2; time += 1) await fetch(`${demo.url}/demo/taken/cai`, { method: 'POST' })
    const cai = demo.simulator.phone('cai')
    await cai.scan((await clientOf(demo).getQrCode(lin)).Url)
    expect(cai.chat.map(({ content }) => content)).toEqual([
      expect.stringContaining('已绑定'),
      expect.stringContaining('此微信已绑定其他账号'),
    ])
  })
})

describe('GET /demo/stream', () => {
  test('sends the current state, then each change of conditions, phones and traffic', async () => {
    const demo = await start()
    const stream = await fetch(`${demo.url}/demo/stream`)
    const reader = stream.body!.pipeThrough(new TextDecoderStream()).getReader()
    let text = ''
    const until = async (isThere: (text: string) => boolean) => {
      while (!isThere(text)) text += (await reader.read()).value ?? ''
    }
    await until((now) => now.includes('event: simulator'))
    await demo.set({ store: 'slow' })
    await until((now) => now.includes('"store":"slow"'))
    await demo.set({})
    await clientOf(demo).getBindInfo(lin)
    await until((now) => now.includes('event: wire') && now.includes('"isPending":false'))
    await demo.simulator.phone('bo').follow()
    await until((now) => now.includes('"person":"bo"') && now.includes('"isFollowing":true'))
    const names = [...text.matchAll(/^event: (\w+)$/gm)].map(([, name]) => name)
    expect(names.slice(0, 2)).toEqual(['demo', 'simulator'])
    expect(new Set(names)).toEqual(new Set(['demo', 'simulator', 'wire']))
    await reader.cancel()
  })
})
