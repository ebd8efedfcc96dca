import { Webhook } from 'standardwebhooks'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createBindClient } from '../../../server/client.ts'
import type { Env } from '../../../server/config/config.ts'
import { pauseMs } from '../../../server/outbound/webhook-sender.ts'
import type { WebhookPayload } from '../../../server/wire.ts'
import { openTestServer, type TestServer } from '../../support/test-server.ts'

const SECRET = `whsec_${Buffer.alloc(32, 1).toString('base64')}`
const OTHER_SECRET = `whsec_${Buffer.alloc(32, 2).toString('base64')}`

type Received = { url: string; headers: Record<string, string>; body: string; payload: WebhookPayload }

let testServer: TestServer
let received: Received[]
/** The status that the receiver answers. */
let receiver: (received: Received) => number | Promise<number>

async function open(env: Env = {}): Promise<void> {
  await testServer?.close()
  received = []
  receiver = () => 204
  const settings = { WEBHOOK_URL: 'http://receiver.test/hook', WEBHOOK_SECRET: SECRET, ...env }
  testServer = await openTestServer(settings, {
    neighbour: async (url, init) => {
      const request = new Request(url, init)
      const body = await request.text()
      const delivery = { url, body, headers: Object.fromEntries(request.headers), payload: JSON.parse(body) }
      received.push(delivery)
      return new Response(null, { status: await receiver(delivery) })
    },
  })
}

beforeEach(() => open())
afterEach(() => testServer.close())

/** Resolves once this many deliveries have arrived; advances the clock, so that the timers of the sender fire. */
async function tried(count: number): Promise<void> {
  while (received.length < count) {
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

const types = () => received.map(({ payload }) => `${payload.type} ${payload.data.Version} ${payload.data.Reason}`)

describe('the webhook', () => {
  test('sends binding.bound and binding.unbound, signed', async () => {
    const boundAt = new Date(testServer.time.clock()).toISOString()
    await bind('amy')
    await tried(1)
    const { url, body, headers, payload } = received[0] as Received
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
    expect(received[1]?.payload).toMatchObject({ type: 'binding.unbound', data: { Version: 2, Reason: 'disconnect' } })
    expect(Object.keys(received[1]?.payload.data ?? {})).toEqual(['Tenant', 'Account', 'User_ID', 'Version', 'Reason'])
  })

  test('retries with the same webhook-id until the receiver accepts', async () => {
    receiver = () => (received.length < 4 ? 503 : 200)
    await bind('amy')
    const started = testServer.time.clock()
    await tried(4)
    expect(new Set(received.map(({ headers }) => headers['webhook-id'])).size).toBe(1)
    // The pauses are 5, 15 and 45 s, and each is at most a fifth shorter.
    expect(testServer.time.clock() - started).toBeGreaterThanOrEqual(0.8 * 65_000)
    expect(await testServer.deps.store.outbox.list('waiting', 10)).toEqual([])
  })

  test('has a random webhook-id, which a store restored from a backup does not repeat', async () => {
    const ids = new Set<string | undefined>()
    for (let start = 0; start < 2; start++) {
      await open()
      await bind('amy')
      await tried(1)
      ids.add(received[0]?.headers['webhook-id'])
    }
    expect([...ids]).toEqual([expect.stringMatching(/^evt_[\w-]{22}$/), expect.stringMatching(/^evt_[\w-]{22}$/)])
  })

  test('keeps the order per user, and does not delay other users', async () => {
    receiver = ({ payload }) => (payload.data.User_ID === 'u1' && received.length < 6 ? 500 : 200)
    await bind('amy', 'u1')
    await tried(1)
    await testServer.client.disconnect({ account: 'acme', userId: 'u1' })
    await bind('bo', 'u2')
    await tried(7)
    const ofUser = (user: string) =>
      received.filter(({ payload }) => payload.data.User_ID === user).map(({ payload }) => payload.data.Version)
    expect(ofUser('u2')).toEqual([1])
    expect(ofUser('u1').filter((version) => version === 2)).toHaveLength(1)
    expect(ofUser('u1').at(-1)).toBe(2)
  })

  test('sends to each tenant’s own receiver, signed with its own secret', async () => {
    await open({ WEBHOOK_URL_OTHER: 'http://other.test/hook', WEBHOOK_SECRET_OTHER: OTHER_SECRET })
    const { Url } = await testServer.otherTenant.getQrCode({ account: 'acme', userId: 'u1' })
    await testServer.phone('amy').scan(Url)
    await testServer.phone('amy').follow()
    await tried(1)
    const { url, body, headers } = received[0] as Received
    expect(url).toBe('http://other.test/hook')
    expect(verify(body, headers, OTHER_SECRET).data.Tenant).toBe('other')
    expect(() => verify(body, headers)).toThrow('was not signed by the bind server')
  })

  test('gives up after a day, and sends again after a replay', async () => {
    receiver = () => 500
    await bind('amy')
    while ((await testServer.deps.store.outbox.list('failed', 1)).length === 0) {
      await new Promise(setImmediate)
      testServer.time.advance(60_000)
    }
    const tries = received.length
    expect(tries).toBeGreaterThan(10)
    receiver = () => 200
    expect(await testServer.deps.store.outbox.replay(testServer.time.clock())).toBe(1)
    await tried(tries + 1)
    expect(received.at(-1)?.payload.data.Version).toBe(1)
  })

  test('sends no openid that was erased before the delivery', async () => {
    receiver = () => 500
    await bind('amy')
    await tried(1)
    await testServer.phone('amy').unfollow()
    receiver = () => 200
    await tried(3)
    const [, second] = received
    expect(second?.payload).toMatchObject({ type: 'binding.bound', data: { OpenId: null, UnionId: null, AppId: null } })
    expect(types().at(-1)).toBe('binding.unbound 2 unsubscribe')
  })

  test('does not delay a bind when the receiver hangs', async () => {
    const hanging: ((status: number) => void)[] = []
    receiver = () => new Promise<number>((resolve) => hanging.push(resolve))
    await bind('amy', 'u1')
    await tried(1)
    await bind('bo', 'u2')
    expect((await testServer.bindInfo('u2')).IsBound).toBe(true)
    await tried(2)
    for (const answer of hanging) answer(200)
  })

  test('is not queued for a tenant without a webhook', async () => {
    await open({ WEBHOOK_URL: undefined, WEBHOOK_SECRET: undefined })
    await bind('amy')
    expect(await testServer.deps.store.outbox.list('waiting', 1)).toEqual([])
  })
})

describe('pauseMs', () => {
  test('grows from 5 s to 3 h, with a jitter of a fifth', () => {
    expect([0, 1, 2, 3, 20].map((attempts) => pauseMs(attempts, 0.5))).toEqual([
      5_000, 15_000, 45_000, 135_000, 10_800_000,
    ])
    expect([pauseMs(0, 0), pauseMs(0, 1)]).toEqual([4_000, 6_000])
  })
})

describe('a receiver that refuses', () => {
  test('is retried at a whole millisecond, which every engine can store', async () => {
    receiver = () => 500
    await bind('amy')
    await tried(2)
    const next = await testServer.deps.store.outbox.nextAt(['default'])
    expect(Number.isInteger(next)).toBe(true)
  })
})

describe('verifyWebhook', () => {
  test('refuses a changed body, a missing header and an old timestamp', async () => {
    await bind('amy')
    await tried(1)
    const { body, headers } = received[0] as Received
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
