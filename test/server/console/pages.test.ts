/** What the console shows and does, over the whole server with a simulated WeChat. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createConsole } from '../../../server/console/console.ts'
import type {
  DoctorReport,
  LivePage,
  Overview,
  TestOutcome,
  UserList,
  UserView,
  Webhooks,
} from '../../../server/console/wire.ts'
import { CONSOLE_TOKENS, type ConsoleClient, createConsoleClient } from '../../support/console-client.ts'
import { openTestServer, type TestServer } from '../../support/test-server.ts'

let testServer: TestServer
let operator: ConsoleClient
let viewer: ConsoleClient
let receiverStatus = 200

beforeEach(async () => {
  receiverStatus = 200
  testServer = await openTestServer(
    { CONSOLE_TOKENS, WEBHOOK_URL: 'http://receiver.test/hook?key=secret', WEBHOOK_SECRET: `whsec_${'a'.repeat(43)}=` },
    { neighbour: async () => new Response(null, { status: receiverStatus }) },
  )
  const app = createConsole(testServer.deps)
  operator = createConsoleClient(app)
  viewer = createConsoleClient(app)
  await Promise.all([operator.signIn('otto'), viewer.signIn('vera')])
})
afterEach(() => testServer.close())

const amy = { tenant: 'default', account: 'acme', userId: 'u1' }

async function bind(person: string, user = 'u1'): Promise<void> {
  const url = await testServer.ticketUrl(user)
  await testServer.time.advance(7_000)
  await testServer.phone(person).scan(url)
  await testServer.phone(person).follow()
}

const show = (client: ConsoleClient, user = amy) => client.json<UserView>(client.post('api/users/show', user))
const overviewOf = (query = 'range=24h') => viewer.json<Overview>(viewer.get(`api/overview?${query}`))
const openidOf = (person: string) => testServer.phone(person).openid

describe('the overview', () => {
  test('counts each step once by tenant and hour, and shows the same counts at every instance', async () => {
    await bind('amy')
    await testServer.ticketUrl('u2')
    await testServer.phone('amy').sendText('解绑')
    const { Url } = await testServer.otherTenant.getQrCode({ account: 'beta', userId: 'x' })
    await testServer.phone('bo').scan(Url)
    await testServer.phone('bo').follow()
    const overview = await overviewOf()
    expect(overview).toMatchObject({
      range: '24h',
      tenant: null,
      funnel: { shown: 3, scanned: 2, confirmed: 2, bound: 2, unbound: 1 },
      previous: { shown: 0, scanned: 0, confirmed: 0, bound: 0, unbound: 0 },
      byTenant: [
        { tenant: 'default', shown: 2, bound: 1, unbound: 1 },
        { tenant: 'other', shown: 1, bound: 1, unbound: 0 },
      ],
    })
    expect(overview.series).toHaveLength(24)
    expect(overview.series.at(-1)).toMatchObject({ shown: 3, bound: 2 })
    expect(overview.timeToBind.count).toBe(2)
    expect(overview.timeToBind.buckets.filter(({ count }) => count > 0)).toEqual([
      { from: 0, upTo: 2, count: 1 },
      { from: 5, upTo: 10, count: 1 },
    ])
    expect(await overviewOf('range=30d&tenant=other')).toMatchObject({
      tenant: 'other',
      funnel: { shown: 1, bound: 1 },
    })
    await testServer.time.advance(25 * 3_600_000)
    // A session lasts twelve hours.
    await viewer.signIn('vera')
    expect(await overviewOf()).toMatchObject({ funnel: { shown: 0 }, previous: { shown: 3, bound: 2 } })
  })

  test('has green lights on a server that works, and no advice', async () => {
    await bind('amy')
    const { now } = await overviewOf()
    const lights = Object.entries(now).map(([name, { light, advice }]) => [name, light, advice])
    expect(lights).toEqual([
      ['waiting', 'ok', undefined],
      ['lastCallback', 'ok', undefined],
      ['accessToken', 'ok', undefined],
      ['wechatErrors', 'ok', undefined],
      ['webhooks', 'ok', undefined],
    ])
    expect(now.waiting).toMatchObject({ pages: 0, limit: 20_000, instances: 1 })
    expect(now.lastCallback.at).toBe(testServer.time.clock())
    expect(now.accessToken.expiresAt).toBeGreaterThan(testServer.time.clock())
    expect(now.webhooks).toMatchObject({ receivers: 1, off: 0, failed: 0 })
  })

  test('counts the pages that wait', async () => {
    const waiting = testServer.widget('GET', '/binding', { headers: { 'If-None-Match': '"0"', Prefer: 'wait=25' } })
    while (testServer.deps.waiters.count() === 0) await new Promise(setImmediate)
    expect((await overviewOf()).now.waiting).toMatchObject({ pages: 1, light: 'ok' })
    testServer.stopWaiting()
    await waiting
    expect((await overviewOf()).now.waiting.pages).toBe(0)
  })

  test("shows the doctor's words when WeChat refuses a call", async () => {
    testServer.simulator.faults.fail('/cgi-bin/qrcode/create', 40164, 9)
    await testServer.client.getQrCode({ account: 'acme', userId: 'u1' }).catch(() => {})
    const { wechatErrors } = (await overviewOf()).now
    expect(wechatErrors).toMatchObject({ light: 'bad', codes: [{ errcode: 40164 }] })
    expect(wechatErrors.advice?.en).toContain('IP allow-list')
    expect(wechatErrors.advice?.fix?.zh).toContain('IP 白名单')
  })

  test('refuses an unknown range', async () => {
    expect((await viewer.get('api/overview?range=1y')).status).toBe(400)
  })
})

describe('the users', () => {
  test('are found by an openid, shown with their history, and unbound by an operator with a name', async () => {
    await bind('amy')
    const found = await operator.json<UserList>(operator.post('api/users/search', { q: openidOf('amy') }))
    expect(found).toMatchObject({ items: [{ ...amy, state: 'bound', found: 'openid', subscribed: true }], next: null })
    const unbound = await operator.json<UserView>(operator.post('api/users/unbind', amy))
    expect(unbound).toMatchObject({ state: 'unbound', reason: 'operator', version: 2, binding: null })
    expect(unbound.history.map(({ type, reason, by }) => [type, reason, by])).toEqual([
      ['unbound', 'operator', 'otto'],
      ['bound', 'scan', null],
    ])
    expect(await testServer.bindInfo('u1')).toMatchObject({ IsBound: false })
    expect((await operator.post('api/users/unbind', amy)).status).toBe(409)
    expect(testServer.log.lines.join()).toMatch(/"operator":"otto","action":"unbind"/)
  })

  test('show masked ids to an operator and none to a viewer, and record each time a whole id is shown', async () => {
    await bind('amy')
    const openid = openidOf('amy')
    const shown = await show(operator)
    expect(shown.binding?.openid).toBe(`${openid.slice(0, 4)}…${openid.slice(-4)}`)
    expect(await show(viewer)).toMatchObject({ state: 'bound', binding: { openid: null, unionid: null } })
    const searched = await viewer.json<UserList>(viewer.post('api/users/search', { q: openid }))
    expect(searched.items[0]).toMatchObject({ ...amy, openid: null })
    const reads = ['overview', 'webhooks', 'doctor', 'live', 'meta'].map((path) => operator.get(`api/${path}`))
    for (const response of [...(await Promise.all(reads)), await operator.post('api/users/search', { q: '' })]) {
      expect(await response.text()).not.toContain(openid)
    }
    expect(JSON.stringify(shown)).not.toContain(openid)
    expect(await operator.json(operator.post('api/users/reveal', amy))).toEqual({ openid, unionid: null })
    const [first] = (await show(viewer)).history
    expect(first).toMatchObject({ type: 'revealed', by: 'otto' })
    expect(testServer.log.lines.join()).not.toContain(openid)
  })

  test('are exported as a download, and the history shows the export', async () => {
    await bind('amy')
    const response = await operator.post('api/users/export', amy)
    expect(response.headers.get('Content-Disposition')).toBe('attachment; filename="user.json"')
    expect(await response.json()).toMatchObject({
      User_ID: 'u1',
      Binding: { OpenId: openidOf('amy') },
      OperatorActions: [{ Action: 'export' }],
    })
    expect((await show(viewer)).history[0]).toMatchObject({ type: 'exported', by: 'otto' })
  })

  test('are erased with the actions about them, and the log keeps only a hash and the name of the operator', async () => {
    await bind('amy')
    await operator.post('api/users/reveal', amy)
    const { bindUser } = await show(viewer)
    expect(await operator.json(operator.post('api/users/erase', amy))).toEqual({ erased: true })
    await testServer.deps.store.purgeErased(testServer.time.clock() + 8 * 86_400_000)
    expect((await operator.post('api/users/erase', amy)).status).toBe(404)
    expect((await viewer.post('api/users/show', amy)).status).toBe(404)
    expect(await viewer.json(viewer.post('api/users/search', { q: 'u1' }))).toEqual({ items: [], next: null })
    expect(testServer.log.lines.join()).toContain(`"operator":"otto","action":"erase","user":"${bindUser}"`)
  })

  test('are paged with cursors that are valid for one search only', async () => {
    for (const [i, person] of ['amy', 'bo', 'cy'].entries()) await bind(person, `u${i}`)
    const first = await viewer.json<UserList>(viewer.post('api/users/search', { q: 'acme', limit: 2 }))
    expect(first.items.map(({ userId }) => userId)).toEqual(['u0', 'u1'])
    const next = { q: 'acme', limit: 2, cursor: first.next }
    const second = await viewer.json<UserList>(viewer.post('api/users/search', next))
    expect(second).toMatchObject({ items: [{ userId: 'u2' }], next: null })
    expect((await viewer.post('api/users/search', { ...next, q: 'other' })).status).toBe(400)
    expect((await viewer.post('api/users/search', { ...next, cursor: `${first.next}x` })).status).toBe(400)
    const all = await viewer.json<UserList>(viewer.post('api/users/search', { q: '' }))
    expect(all.items.map(({ userId, found }) => [userId, found])).toEqual([
      ['u2', 'binding'],
      ['u1', 'binding'],
      ['u0', 'binding'],
    ])
  })

  test.each([
    ['users/show', {}],
    ['users/show', { tenant: 'default', account: '', userId: 'u1' }],
    ['users/search', { q: 1 }],
    ['users/search', { q: '', limit: 1000 }],
    ['users/search', { q: 'x'.repeat(9_000) }],
    ['webhooks/enable', {}],
    ['webhooks/replay', { id: 'x' }],
  ])('refuse a malformed request (%s) and name the member without its value', async (path, body) => {
    const response = await operator.post(`api/${path}`, body)
    expect([400, 413]).toContain(response.status)
    expect(await response.text()).not.toContain('xxx')
  })
})

describe('the webhooks', () => {
  const webhooks = (client = operator) => client.json<Webhooks>(client.get('api/webhooks'))

  test('show why a notice failed and when it is tried next, and replay it', async () => {
    receiverStatus = 410
    await bind('amy')
    const status = async () => {
      await testServer.time.advance(1_000)
      return (await webhooks()).receivers[0]?.status
    }
    await expect.poll(status).toBe('gone')
    const shown = await webhooks()
    expect(shown).toMatchObject({
      receivers: [
        {
          name: 'WEBHOOK_URL',
          url: 'http://receiver.test/hook',
          light: 'bad',
          status: 'gone',
          waiting: 1,
          lastFailure: { status: 410, error: null },
        },
      ],
      waitingCount: 1,
      waiting: [{ ...amy, type: 'binding.bound', attempts: 1, failure: { status: 410, error: null }, nextAt: null }],
    })
    expect((await show(operator)).notices).toMatchObject([{ receiver: 'WEBHOOK_URL', state: 'waiting', nextAt: null }])
    expect(shown.receivers[0]?.advice?.fix?.en).toContain('enable')
    expect((await webhooks(viewer)).receivers[0]?.url).toBe('http://receiver.test')
    expect((await overviewOf()).now.webhooks).toMatchObject({ light: 'bad', off: 1 })
    receiverStatus = 204
    expect(
      await operator.json<TestOutcome>(operator.post('api/webhooks/test', { receiver: 'WEBHOOK_URL' })),
    ).toMatchObject({
      accepted: true,
      failure: null,
    })
    expect(await operator.json(operator.post('api/webhooks/enable', { receiver: 'WEBHOOK_URL' }))).toMatchObject({
      receivers: [{ status: 'on' }],
    })
    const waitingCount = async () => {
      await testServer.time.advance(1_000)
      return (await webhooks()).waitingCount
    }
    await expect.poll(waitingCount).toBe(0)
    expect(await operator.json(operator.post('api/webhooks/replay', {}))).toEqual({ count: 0 })
    expect((await operator.post('api/webhooks/test', { receiver: 'none' })).status).toBe(404)
  })

  test('report the outcome of a test', async () => {
    receiverStatus = 401
    const outcome = await operator.json<TestOutcome>(operator.post('api/webhooks/test', { receiver: 'WEBHOOK_URL' }))
    expect(outcome).toMatchObject({ accepted: false, failure: { status: 401 } })
    expect(outcome.advice?.en).toMatch(/^The receiver refuses the signature.*\.$/)
  })
})

describe('the doctor', () => {
  test('is run by an operator and read by everyone, at every instance', async () => {
    expect(await viewer.json(viewer.get('api/doctor'))).toEqual({ at: null, by: null, findings: [] })
    testServer.simulator.faults.fail('/cgi-bin/stable_token', 40125, 9)
    const report = await operator.json<DoctorReport>(operator.post('api/doctor'))
    expect(report).toMatchObject({ by: 'otto', at: testServer.time.clock() })
    expect(report.findings).toContainEqual(expect.objectContaining({ id: 'token.secret', level: 'wrong' }))
    expect(await viewer.json(viewer.get('api/doctor'))).toEqual(report)
    const secrets = [testServer.simulator.account.appSecret, 'otto-secret', 'key=secret']
    for (const secret of secrets) expect(JSON.stringify(report)).not.toContain(secret)
  })
})

describe('the live events', () => {
  const live = async (query: string) => viewer.json<LivePage>(viewer.get(`api/live?${query}`))

  test('arrive after their commit, once each, in order', async () => {
    const { cursor, events } = await live('wait=25')
    expect(events).toEqual([])
    const waiting = live(`wait=25&after=${cursor}`)
    await bind('amy')
    const first = await waiting
    expect(first.events).toMatchObject([{ ...amy, type: 'binding.bound', reason: 'scan', version: 1 }])
    await operator.post('api/users/unbind', amy)
    const second = await live(`wait=25&after=${first.cursor}`)
    expect(second.events).toMatchObject([{ type: 'binding.unbound', reason: 'operator' }])
    expect((await live(`wait=0&after=${second.cursor}`)).events).toEqual([])
    expect((await live('wait=0')).events).toHaveLength(2)
  })

  test('end their wait when the server stops, and when the page is closed', async () => {
    const { cursor } = await live('wait=0')
    const gone = new AbortController()
    const left = viewer.request(`api/live?wait=25&after=${cursor}`, { signal: gone.signal })
    const waiting = live(`wait=25&after=${cursor}`)
    gone.abort()
    testServer.stopWaiting()
    expect((await waiting).events).toEqual([])
    await left.catch(() => {})
  })

  test('refuse an invalid wait and an invalid cursor', async () => {
    for (const query of ['wait=26', 'wait=x', 'after=abc'])
      expect((await viewer.get(`api/live?${query}`)).status).toBe(400)
  })
})

test('the meta data name the tenants of the keys and of the users', async () => {
  expect(await viewer.json(viewer.get('api/meta'))).toEqual({
    version: '0.1.0',
    tenants: ['default', 'other'],
    languages: ['zh-CN', 'zh-TW', 'en'],
    accountName: null,
    appId: testServer.simulator.account.appId,
    confirm: 'off',
    conflict: 'reject',
  })
})
