import { describe, expect, test } from 'vitest'
import type { SimulatorView } from '../../../demo/simulator/views.ts'
import { settle } from '../fake-clock.ts'
import { createFixture } from './simulator-fixture.ts'

function createControlFixture() {
  const fixture = createFixture()
  const control = (path: string, body?: unknown) =>
    fixture.simulator.app.request(`/control/${path}`, { method: 'POST', body: JSON.stringify(body) })
  const state = async (): Promise<SimulatorView> => (await fixture.simulator.app.request('/control/state')).json()
  return { ...fixture, control, state }
}

describe('createControlApi', () => {
  test('operates a phone: scan, follow, chat, unfollow', async () => {
    const { control, state, showQrcode } = createControlFixture()
    const scan = await control('phones/amy/scan', { url: await showQrcode() })
    expect(await scan.json()).toEqual({ screen: 'follow' })
    await control('phones/amy/follow')
    await control('phones/amy/text', { content: '解绑' })
    expect((await state()).phones[0]).toMatchObject({
      person: 'amy',
      isFollowing: true,
      chat: [{ from: 'person', parts: [{ text: '解绑' }] }],
    })
    await control('phones/amy/unfollow')
    expect((await state()).phones[0]).toMatchObject({ isFollowing: false, chat: [] })
  })

  test.each([
    ['phones/no%20name/follow', undefined, 404],
    ['phones/amy/scan', { url: 1 }, 400],
    ['phones/amy/tap', { href: 'https://example.com' }, 400],
    ['phones/amy/text', { content: 'hi' }, 409],
    ['faults/fail', { path: '/cgi-bin/token' }, 400],
    ['faults/fail', { path: 'qrcode/create', errcode: -1 }, 400],
    ['faults/slow', { path: '/cgi-bin/token', ms: 10, mss: 10 }, 400],
    ['phones/amy/scan', { folow: true }, 400],
  ])('answers POST %s %j with status %i and a reason', async (path, body, status) => {
    const answer = await createControlFixture().control(path, body)
    expect(answer.status).toBe(status)
    expect(await answer.json()).toEqual({ error: expect.stringMatching(/./) })
  })

  test('refuses a request with a foreign `Host`, and a POST from a page of another origin', async () => {
    const { simulator, state } = createControlFixture()
    const foreignHost = await simulator.app.request('/control/state', { headers: { Host: 'evil.example' } })
    expect([foreignHost.status, await foreignHost.json()]).toEqual([403, { error: expect.stringContaining('Host') }])
    const headers = { Host: 'localhost:4000', Origin: 'https://evil.example' }
    const forged = await simulator.app.request('/control/phones/amy/follow', { method: 'POST', headers })
    expect(forged.status).toBe(403)
    expect((await state()).phones[0]?.isFollowing).toBe(false)
  })

  test('accepts only the hosts and origins of its options, but WeChat’s API accepts every `Host`', async () => {
    const { simulator } = createFixture(undefined, { hosts: ['wechat'], origins: ['https://wechat.example'] })
    const statusOf = async (path: string, headers: Record<string, string>, method = 'POST') =>
      (await simulator.app.request(path, { method, headers })).status
    expect(await statusOf('/control/faults/clear', { Host: 'wechat:4001' })).toBe(204)
    expect(await statusOf('/control/faults/clear', { Host: 'wechat:4001', Origin: 'https://wechat.example' })).toBe(204)
    expect(await statusOf('/cgi-bin/getcallbackip', { Host: 'wechat.internal' }, 'GET')).toBe(200)
  })

  test('sets a fault of WeChat’s API', async () => {
    const { control, stableToken } = createControlFixture()
    await control('faults/fail', { path: '/cgi-bin/stable_token', errcode: 40164 })
    expect((await stableToken()).errcode).toBe(40164)
  })

  test('streams the state at once and after each change, until the simulator is closed', async () => {
    const { simulator } = createControlFixture()
    const stream = await simulator.app.request('/control/stream')
    const text = stream.text()
    await settle()
    await simulator.phone('bo').follow()
    await settle()
    simulator.close()
    const views = (await text).match(/(?<=^data: ).*$/gm)?.map((line) => JSON.parse(line) as SimulatorView) ?? []
    expect(views.map(({ phones }) => phones[1]?.isFollowing)).toEqual([false, true, true])
  })

  test('returns the traffic log since a revision', async () => {
    const { simulator, stableToken } = createControlFixture()
    await stableToken()
    const known = simulator.wire.since(0).at(-1)?.revision
    await stableToken()
    const answer = await simulator.app.request(`/control/wire?since=${known}`)
    expect(await answer.json()).toEqual({ entries: [expect.objectContaining({ id: 2, kind: 'wechat' })] })
  })
})
