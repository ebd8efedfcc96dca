import { Webhook } from 'standardwebhooks'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createBindClient } from '../../../server/client.ts'
import type { Env } from '../../../server/config/config.ts'
import { pauseMs } from '../../../server/outbound/webhook-sender.ts'
import type { WebhookPayload } from '../../../server/wire.ts'
import { openTestServer, type TestServer } from '../../support/test-server.ts'

const SECRET = `whsec_${Buffer.alloc(32, 1).toString('base64')}`
const OTHER_SECRET = `whsec_${Buffer.alloc(32, 2).toString('base64')}`

type Heard = { url: string; headers: Record<string, string>; body: string; payload: WebhookPayload }

let testServer: TestServer
let heard: Heard[]
/** What the receiver answers. */
let receiver: (heard: Heard) => number | Promise<number>

async function open(env: Env = {}): Promise<void> {
  await testServer?.close()
  heard = []
  receiver = () => 204
  const settings = { WEBHOOK_URL: 'http://receiver.test/hook', WEBHOOK_SECRET: SECRET, ...env }
  testServer = await openTestServer(settings, {
    neighbour: async (url, init) => {
      const request = new Request(url, init)
      const body = await request.text()
      const delivery = { url, body, headers: Object.fromEntries(request.headers), payload: JSON.parse(body) }
      heard.push(delivery)
      return new Response(null, { status: await receiver(delivery) })
    },
  })
}

beforeEach(() => open())
afterEach(() => testServer.close())

/** Resolves once this many deliveries were tried; the sender's timers run as the clock is turned. */
async function tried(count: number): Promise<void> {
  while (heard.length < count) {
    await new Promise(setImmediate)
    testServer.time.advance(1_000)
  }
}

async function bind(person: string, user = 'u1'): Promise<void> {
  const url = await testServer.ticketUrl(user)
  if ((await testServer.phone(person).scan(url)) === 'follow') await testServer.phone(person).follow()
}

const verify = (body: string, headers: Record<string, string>, webhookSecret = SECRET) =>
  createBindClient({ server: 'http://bind.test', keyId: 'k', key: new Uint8Array(32), webhookSecret }).verifyWebhook(
    body,
    headers,
  )

const types = () => heard.map(({ payload }) => `${payload.type} ${payload.data.Version} ${payload.data.Reason}`)

describe('the webhook', () => {
  test('tells of a bind and of its end, signed, in the contract’s words', async () => {
    const boundAt = new Date(testServer.time.clock()).toISOString()
    await bind('amy')
    await tried(1)
    const { url, body, headers, payload } = heard[0] as Heard
    expect(url).toBe('http://receiver.test/hook')
    expect(payload).toEqual({
      type: 'binding.bound',
      timestamp: boundAt,
      data: {
        Tenant: 'default',
        Account: 'acme',
        User_ID: 'u1',
        OpenId: testServer.phone('amy').openid,
        UnionId: expect.toSatisfy((unionid) => unionid === null || unionid === testServer.phone('amy').unionid),
        AppId: testServer.simulator.account.appId,
        Version: 1,
        Reason: 'scan',
      },
    })
    expect(verify(body, headers)).toEqual(payload)
    await testServer.client.disconnect({ account: 'acme', userId: 'u1' })
    await tried(2)
    expect(heard[1]?.payload).toMatchObject({ type: 'binding.unbound', data: { Version: 2, Reason: 'disconnect' } })
    expect(Object.keys(heard[1]?.payload.data ?? {})).toEqual(['Tenant', 'Account', 'User_ID', 'Version', 'Reason'])
  })

  test('names the id of a change again at each try, and tries until it is taken', async () => {
    receiver = () => (heard.length < 4 ? 503 : 200)
    await bind('amy')
    const started = testServer.time.clock()
    await tried(4)
    expect(new Set(heard.map(({ headers }) => headers['webhook-id'])).size).toBe(1)
    // 5 s, 15 s and 45 s, each a fifth shorter at the least.
    expect(testServer.time.clock() - started).toBeGreaterThanOrEqual(0.8 * 65_000)
    expect(await testServer.deps.store.outbox.list('waiting', 10)).toEqual([])
  })

  test('keeps the order per user, and lets nobody else wait for it', async () => {
    receiver = ({ payload }) => (payload.data.User_ID === 'u1' && heard.length < 6 ? 500 : 200)
    await bind('amy', 'u1')
    await tried(1)
    await testServer.client.disconnect({ account: 'acme', userId: 'u1' })
    await bind('bo', 'u2')
    await tried(7)
    const ofUser = (user: string) =>
      heard.filter(({ payload }) => payload.data.User_ID === user).map(({ payload }) => payload.data.Version)
    expect(ofUser('u2')).toEqual([1])
    expect(ofUser('u1').filter((version) => version === 2)).toHaveLength(1)
    expect(ofUser('u1').at(-1)).toBe(2)
  })

  test('tells each tenant’s own receiver, with its own secret', async () => {
    await open({ WEBHOOK_URL_OTHER: 'http://other.test/hook', WEBHOOK_SECRET_OTHER: OTHER_SECRET })
    const { Url } = await testServer.otherTenant.getQrCode({ account: 'acme', userId: 'u1' })
    await testServer.phone('amy').scan(Url)
    await testServer.phone('amy').follow()
    await tried(1)
    const { url, body, headers } = heard[0] as Heard
    expect(url).toBe('http://other.test/hook')
    expect(verify(body, headers, OTHER_SECRET).data.Tenant).toBe('other')
    expect(() => verify(body, headers)).toThrow('was not signed by the bind server')
  })

  test('gives up after a day, and tells again when asked to', async () => {
    receiver = () => 500
    await bind('amy')
    while ((await testServer.deps.store.outbox.list('failed', 1)).length === 0) {
      await new Promise(setImmediate)
      testServer.time.advance(60_000)
    }
    const tries = heard.length
    expect(tries).toBeGreaterThan(10)
    receiver = () => 200
    expect(await testServer.deps.store.outbox.replay(testServer.time.clock())).toBe(1)
    await tried(tries + 1)
    expect(heard.at(-1)?.payload.data.Version).toBe(1)
  })

  test('never tells an openid that was erased meanwhile', async () => {
    receiver = () => 500
    await bind('amy')
    await tried(1)
    await testServer.phone('amy').unfollow()
    receiver = () => 200
    await tried(3)
    const [, told] = heard
    expect(told?.payload).toMatchObject({ type: 'binding.bound', data: { OpenId: null, UnionId: null, AppId: null } })
    expect(types().at(-1)).toBe('binding.unbound 2 unsubscribe')
  })

  test('does not hold up a bind when the receiver hangs', async () => {
    const hanging: ((status: number) => void)[] = []
    receiver = () => new Promise<number>((resolve) => hanging.push(resolve))
    await bind('amy', 'u1')
    await tried(1)
    await bind('bo', 'u2')
    expect((await testServer.bindInfo('u2')).IsBound).toBe(true)
    await tried(2)
    for (const answer of hanging) answer(200)
  })

  test('is not written for a tenant that has none', async () => {
    await open({ WEBHOOK_URL: undefined, WEBHOOK_SECRET: undefined })
    await bind('amy')
    expect(await testServer.deps.store.outbox.list('waiting', 1)).toEqual([])
  })
})

describe('pauseMs', () => {
  test('grows from 5 s to 3 h, a fifth more or less', () => {
    expect([0, 1, 2, 3, 20].map((attempts) => pauseMs(attempts, 0.5))).toEqual([
      5_000, 15_000, 45_000, 135_000, 10_800_000,
    ])
    expect([pauseMs(0, 0), pauseMs(0, 1)]).toEqual([4_000, 6_000])
  })
})

describe('a receiver that refuses', () => {
  test('is tried again at whole milliseconds, which every engine can hold', async () => {
    receiver = () => 500
    await bind('amy')
    await tried(2)
    const next = await testServer.deps.store.outbox.nextAt(['default'])
    expect(Number.isInteger(next)).toBe(true)
  })
})

describe('verifyWebhook', () => {
  test('refuses a changed body, a missing header and an old stamp', async () => {
    await bind('amy')
    await tried(1)
    const { body, headers } = heard[0] as Heard
    const old = new Date(Date.now() - 301_000)
    const stale = {
      ...headers,
      'webhook-timestamp': String(Math.floor(old.getTime() / 1000)),
      'webhook-signature': new Webhook(SECRET).sign('evt_1', old, body),
    }
    const refused = [
      () => verify(body.replace('u1', 'u2'), headers),
      () => verify(body, { ...headers, 'webhook-id': '' }),
      () => verify(body, stale),
    ]
    for (const attempt of refused) expect(attempt).toThrow('was not signed by the bind server')
    expect(verify(body, new Headers(headers) as never).type).toBe('binding.bound')
  })
})
