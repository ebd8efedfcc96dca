import { createHmac } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Webhook } from 'standardwebhooks'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createBindClient } from '../../../server/client.ts'
import type { Env } from '../../../server/config/config.ts'
import { SCHEDULE_MS } from '../../../server/outbound/webhook-schedule.ts'
import type { Store } from '../../../server/store/store.ts'
import type { WebhookPayload } from '../../../server/wire.ts'
import { openTestServer, type TestServer } from '../../support/test-server.ts'

const SECRET = `whsec_${Buffer.alloc(32, 1).toString('base64')}`
const OTHER_SECRET = `whsec_${Buffer.alloc(32, 2).toString('base64')}`

type Received = {
  url: string
  headers: Record<string, string>
  body: string
  payload: WebhookPayload
  /** Epoch ms. */
  at: number
  signal: AbortSignal
  redirect: string
}

let testServer: TestServer
let received: Received[]
/** The answer of the receiver, or its status. */
let receiver: (received: Received) => number | Response | Promise<number>

async function open(env: Env = {}, wrapStore?: (store: Store) => Store, hasUnionid = false): Promise<void> {
  await testServer?.close()
  received = []
  receiver = () => 204
  const settings = { WEBHOOK_URL: 'http://receiver.test/hook', WEBHOOK_SECRET: SECRET, ...env }
  testServer = await openTestServer(settings, {
    wrapStore,
    account: { hasUnionid },
    neighbour: async (url, init) => {
      const request = new Request(url, init)
      const body = await request.text()
      const headers = Object.fromEntries(request.headers)
      const delivery = {
        url,
        body,
        headers,
        payload: JSON.parse(body),
        at: testServer.time.clock(),
        signal: init?.signal as AbortSignal,
        redirect: request.redirect,
      }
      received.push(delivery)
      const answer = await receiver(delivery)
      return answer instanceof Response ? answer : new Response(null, { status: answer })
    },
  })
}

beforeEach(() => open())
afterEach(() => testServer.close())

/** Resolves once this many deliveries have arrived; advances the clock, so that the timers of the sender fire. */
async function tried(count: number, stepMs = 1_000): Promise<void> {
  while (received.length < count) {
    await new Promise(setImmediate)
    testServer.time.advance(stepMs)
  }
}

/** Advances the clock by this time. */
async function pass(ms: number, stepMs: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += stepMs) {
    for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate)
    testServer.time.advance(stepMs)
  }
}

const outbox = () => testServer.deps.store.outbox

/** Resolves once this many notices were given up. */
async function failed(count: number): Promise<void> {
  while ((await outbox().list('failed', count)).length < count) await new Promise(setImmediate)
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
  test('sends binding.bound, binding.updated and binding.unbound, signed', async () => {
    await open({}, undefined, true)
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
        UnionId: testServer.phone('amy').unionid,
        AppId: testServer.simulator.account.appId,
        Version: 1,
        Reason: 'scan',
      },
    })
    expect(verify(body, headers)).toEqual(payload)
    await tried(2)
    expect(received[1]?.payload).toEqual({
      ...payload,
      type: 'binding.updated',
      timestamp: expect.any(String),
      data: { ...payload.data, Version: 2, Reason: 'unionid' },
    })
    await testServer.client.disconnect({ account: 'acme', userId: 'u1' })
    await tried(3)
    expect(received[2]?.payload).toMatchObject({ type: 'binding.unbound', data: { Version: 3, Reason: 'disconnect' } })
    expect(Object.keys(received[2]?.payload.data ?? {})).toEqual(['Tenant', 'Account', 'User_ID', 'Version', 'Reason'])
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

describe('a receiver that fails', () => {
  const retryTimes = () => received.slice(1).map(({ at }, i) => at - received[i]!.at)

  test('is tried again by the schedule for three days with the same webhook-id, and then the notice is given up', async () => {
    receiver = () => 500
    await bind('amy')
    await tried(1)
    for (const pause of SCHEDULE_MS) await tried(received.length + 1, Math.max(1_000, pause / 20))
    for (const [i, pause] of SCHEDULE_MS.entries()) {
      expect(retryTimes()[i]).toBeGreaterThanOrEqual(pause)
      // The tolerance covers the jitter of a fifth, the time steps of the test, and a pause of the receiver.
      expect(retryTimes()[i]).toBeLessThan(pause * 1.3 + 30_000)
    }
    expect(new Set(received.map(({ headers }) => headers['webhook-id'])).size).toBe(1)
    await failed(1)
    expect(await outbox().list('failed', 9)).toMatchObject([{ attempts: 12, failure: { status: 500, error: null } }])
    receiver = () => 200
    expect(await outbox().replay(testServer.time.clock())).toBe(1)
    await tried(13)
    expect(received.at(-1)?.payload.data.Version).toBe(1)
  })

  test('gets a new timestamp and signature with each attempt', async () => {
    receiver = () => (received.length < 2 ? 503 : 200)
    await bind('amy')
    await tried(2)
    const stamps = received.map(({ headers }) => Number(headers['webhook-timestamp']))
    expect(stamps[1]! - stamps[0]!).toBeGreaterThanOrEqual(5)
    expect(received[0]?.headers['webhook-signature']).not.toBe(received[1]?.headers['webhook-signature'])
  })

  test.each([
    ['60', 60_000],
    [(now: number) => new Date(now + 120_000).toUTCString(), 120_000],
    ['1', 5_000],
    ['9999999', 86_400_000],
    ['soon', 5_000],
  ])('is tried again after its Retry-After %s', async (value, expected) => {
    const text = typeof value === 'string' ? value : value(testServer.time.clock())
    receiver = () => new Response(null, { status: 503, headers: { 'Retry-After': text } })
    await bind('amy')
    await tried(1)
    await tried(2, Math.max(1_000, expected / 20))
    // An HTTP date has whole seconds, and the clock advanced before the answer.
    expect(retryTimes()[0]).toBeGreaterThanOrEqual(expected - 10_000)
    expect(retryTimes()[0]).toBeLessThan(expected * 1.1 + 10_000)
  })

  test.each([429, 502, 504])('gets a pause for all users after an answer %i', async (status) => {
    receiver = () =>
      new Response(null, { status: received.length === 1 ? status : 200, headers: { 'Retry-After': '90' } })
    await bind('amy', 'u1')
    await tried(1)
    await bind('bo', 'u2')
    await tried(3)
    expect(received[1]!.at - received[0]!.at).toBeGreaterThanOrEqual(90_000)
    expect(new Set(received.map(({ payload }) => payload.data.User_ID))).toEqual(new Set(['u1', 'u2']))
  })

  test('stays paused when requests that were in flight are accepted or refused after its Retry-After', async () => {
    const answers: ((status: number | Response) => void)[] = []
    receiver = () => new Promise<never>((resolve) => answers.push(resolve as never))
    for (const [i, person] of ['amy', 'bo', 'cy'].entries()) await bind(person, `u${i}`)
    await tried(3)
    const until = testServer.time.clock() + 3_600_000
    answers[0]?.(new Response(null, { status: 429, headers: { 'Retry-After': '3600' } }))
    const state = async () => (await outbox().receivers())[0]
    await expect.poll(async () => (await state())?.failures).toBe(1)
    answers[1]?.(200)
    answers[2]?.(500)
    await expect.poll(async () => (await state())?.failures).toBe(2)
    expect((await state())?.pausedUntil).toBeGreaterThanOrEqual(until)
    receiver = () => 200
    await tried(5, 60_000)
    expect(received[3]!.at).toBeGreaterThanOrEqual(until)
  })

  test('is not paused if it refuses one event', async () => {
    receiver = ({ payload }) => (payload.data.User_ID === 'u1' ? 500 : 200)
    await bind('amy', 'u1')
    await tried(1)
    await bind('bo', 'u2')
    await tried(2)
    expect(received[1]!.at - received[0]!.at).toBeLessThan(10_000)
  })

  test('is off after an answer 410 until it is enabled, and then gets every event in order', async () => {
    receiver = () => 410
    await bind('amy')
    await tried(1)
    await testServer.client.disconnect({ account: 'acme', userId: 'u1' })
    await pass(3 * 86_400_000, 600_000)
    expect(received).toHaveLength(1)
    expect(await testServer.deps.metrics.render()).toContain('wechat_bind_webhook_receivers_off 1')
    expect(
      testServer.log.lines.filter((line) => line.includes('is switched off, because it answered 410')),
    ).toHaveLength(1)
    expect(testServer.log.lines.join('\n')).toMatch(/"status":410,"nextTry":null,/)
    receiver = () => 200
    expect(await outbox().enable('WEBHOOK_URL', testServer.time.clock())).toBe(true)
    await tried(3)
    expect(types()).toEqual(['binding.bound 1 scan', 'binding.bound 1 scan', 'binding.unbound 2 disconnect'])
  })

  test('is off after five days of failures, with a log line and a metric', async () => {
    receiver = () => 500
    await bind('amy', 'u1')
    for (let day = 0; day < 6; day++) {
      await testServer.client.disconnect({ account: 'acme', userId: 'u1' }).catch(() => {})
      await bind('amy', 'u1')
      await pass(86_400_000, 600_000)
    }
    const [state] = await outbox().receivers()
    expect(state).toMatchObject({ name: 'WEBHOOK_URL', status: 'off', lastFailure: { status: 500 } })
    expect(state!.lastFailureAt - state!.failingSince!).toBeGreaterThanOrEqual(5 * 86_400_000)
    expect(await testServer.deps.metrics.render()).toContain('wechat_bind_webhook_receivers_off 1')
    const off = testServer.log.lines.filter((line) =>
      line.includes('is switched off, because it has failed for five days'),
    )
    expect(off).toEqual([expect.stringContaining('wechat-bind webhooks enable WEBHOOK_URL')])
    const tries = received.length
    await pass(86_400_000, 600_000)
    expect(received).toHaveLength(tries)
  })

  test('causes a warning once a minute, with the status and the fix, and without its URL', async () => {
    receiver = () => 401
    for (const user of ['u1', 'u2', 'u3']) await bind('amy', user).catch(() => {})
    await tried(2)
    const warnings = () => testServer.log.lines.filter((line) => line.includes('a webhook was not accepted'))
    expect(warnings()).toEqual([expect.stringMatching(/"status":401.*both sides need the same secret/)])
    expect(warnings()[0]).not.toContain('receiver.test')
    await pass(61_000, 1_000)
    await tried(received.length + 1)
    await expect.poll(warnings).toHaveLength(2)
    receiver = () => 200
    await tried(received.length + 1, 10_000)
    await expect.poll(() => testServer.log.lines.join()).toContain('the webhook receiver accepts again')
  })

  test('causes a warning with the code of the error if it does not answer', async () => {
    receiver = () => {
      throw Object.assign(new TypeError('fetch failed'), { cause: { code: 'ECONNREFUSED' } })
    }
    await bind('amy')
    await tried(1)
    await expect.poll(() => testServer.log.lines.join()).toMatch(/"error":"ECONNREFUSED".*start the receiver/)
  })

  test('has 20 s for an answer', async () => {
    let abortedAt = 0
    receiver = ({ signal, at }) =>
      new Promise((_, reject) => {
        signal.addEventListener('abort', () => {
          abortedAt = testServer.time.clock() - at
          reject(signal.reason)
        })
      })
    await bind('amy')
    await tried(2)
    expect(abortedAt).toBe(20_000)
    const [notice] = await outbox().list('waiting', 1)
    expect(notice?.failure).toEqual({ status: null, error: 'TIMEOUT' })
  })

  test('gets no request at the URL to which it redirects', async () => {
    receiver = () => new Response(null, { status: 307, headers: { Location: 'http://other.test/' } })
    await bind('amy')
    await tried(2)
    expect(new Set(received.map(({ url }) => url))).toEqual(new Set(['http://receiver.test/hook']))
    expect(received.every(({ redirect }) => redirect === 'manual')).toBe(true)
    expect(testServer.log.lines.join()).toContain('redirects are not followed')
  })

  test('is tried at whole milliseconds, which every engine can store', async () => {
    receiver = () => 500
    await bind('amy')
    await tried(2)
    const notices = await outbox().list('waiting', 9)
    expect(notices.length).toBeGreaterThan(0)
    for (const { nextAt } of notices) expect(Number.isInteger(nextAt)).toBe(true)
  })

  test('is tried at once by a retry', async () => {
    receiver = () => (received.length < 4 ? 500 : 200)
    await bind('amy')
    await tried(3)
    expect(await outbox().retry(testServer.time.clock())).toBe(1)
    await tried(4)
    expect(retryTimes()[2]).toBeLessThan(30_000)
  })

  test('has its interrupted notices due again as soon as the server closes', async () => {
    receiver = ({ signal }) => new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
    const seen: unknown[] = []
    await open({}, (store) => ({
      ...store,
      outbox: {
        ...store.outbox,
        unclaim: async (id, now) => {
          seen.push(now)
          await store.outbox.unclaim(id, now)
        },
      },
    }))
    receiver = ({ signal }) => new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
    await bind('amy')
    await tried(1)
    const now = testServer.time.clock()
    await testServer.close()
    expect(seen).toEqual([now])
    await open()
  })
})

describe('two secrets', () => {
  test('each sign every request, as Standard Webhooks defines', async () => {
    await open({ WEBHOOK_SECRET: `${OTHER_SECRET}, ${SECRET}` })
    await bind('amy')
    await tried(1)
    const { body, headers } = received[0] as Received
    const { 'webhook-id': id, 'webhook-timestamp': stamp, 'webhook-signature': signatures = '' } = headers
    const byHand = (secret: string) =>
      `v1,${createHmac('sha256', Buffer.from(secret.slice('whsec_'.length), 'base64'))
        .update(`${id}.${stamp}.${body}`)
        .digest('base64')}`
    expect(signatures.split(' ')).toEqual([byHand(OTHER_SECRET), byHand(SECRET)])
    for (const secret of [OTHER_SECRET, SECRET]) {
      expect(new Webhook(secret).verify(body, headers)).toMatchObject({ type: 'binding.bound' })
      expect(verify(body, headers, secret).type).toBe('binding.bound')
    }
  })
})

describe('WEBHOOKS_FILE', () => {
  let folder: string
  let file: string
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'wechat-bind-'))
    file = join(folder, 'webhooks.json')
  })
  afterEach(() => rmSync(folder, { recursive: true }))

  const entry = (name: string, more = {}) => ({ name, url: `http://${name}.test/`, secrets: [SECRET], ...more })
  const write = (entries: object[]) => writeFileSync(file, JSON.stringify(entries))
  const openFile = (env: Env = {}) =>
    open({ WEBHOOK_URL: undefined, WEBHOOK_SECRET: undefined, WEBHOOKS_FILE: file, ...env })
  const urls = () => received.map(({ url, payload }) => `${new URL(url).hostname} ${payload.type}`).sort()

  test('adds receivers with a tenant and types, and all of them get the same id', async () => {
    write([
      entry('crm', { tenant: 'default', secrets: [OTHER_SECRET] }),
      entry('audit', { types: ['binding.unbound'] }),
      entry('stranger', { tenant: 'other' }),
    ])
    await openFile({ WEBHOOK_URL: 'http://env.test/', WEBHOOK_SECRET: SECRET })
    await bind('amy')
    await tried(2)
    await testServer.client.disconnect({ account: 'acme', userId: 'u1' })
    await tried(5)
    expect(urls()).toEqual([
      'audit.test binding.unbound',
      'crm.test binding.bound',
      'crm.test binding.unbound',
      'env.test binding.bound',
      'env.test binding.unbound',
    ])
    expect(new Set(received.map(({ headers }) => headers['webhook-id'])).size).toBe(2)
    const crm = received.find(({ url }) => url.includes('crm')) as Received
    expect(verify(crm.body, crm.headers, OTHER_SECRET).type).toBe('binding.bound')
  })

  test('delays no receiver when another receiver hangs, is down or refuses', async () => {
    write([entry('hangs'), entry('down'), entry('refuses'), entry('well')])
    await openFile()
    receiver = ({ url, signal }) => {
      if (url.includes('down')) throw new TypeError('fetch failed')
      if (url.includes('refuses')) return 500
      if (url.includes('well')) return 200
      return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
    }
    const lag: number[] = []
    for (const [i, person] of ['amy', 'bo', 'cy'].entries()) {
      const boundAt = testServer.time.clock()
      await bind(person, `u${i}`)
      while (!received.some(({ url, payload }) => url.includes('well') && payload.data.User_ID === `u${i}`)) {
        await new Promise(setImmediate)
        testServer.time.advance(100)
      }
      lag.push(testServer.time.clock() - boundAt)
    }
    for (const ms of lag) expect(ms).toBeLessThan(5_000)
    expect(await outbox().lengths()).toContainEqual({ receiver: 'hangs', waiting: 3, failed: 0 })
  })

  test('is read again after a change, and a file with a fault causes a warning and keeps the previous receivers', async () => {
    write([entry('old')])
    await openFile()
    const warned = () => testServer.log.lines.join()
    writeFileSync(file, '[{"name":"old","secrets":["whsec_secret"')
    await expect.poll(warned).toContain('WEBHOOKS_FILE: is not valid JSON')
    expect(warned()).not.toContain('whsec_secret')
    await bind('amy')
    await tried(1)
    write([entry('renewed')])
    await expect.poll(warned).toContain('WEBHOOKS_FILE was read again')
    await testServer.client.disconnect({ account: 'acme', userId: 'u1' })
    await tried(2)
    expect(urls()).toEqual(['old.test binding.bound', 'renewed.test binding.unbound'])
  })

  test('is refused at the start if it has a fault, or a tenant that no key has', async () => {
    write([entry('crm', { tenant: 'shopz' })])
    await expect(openFile()).rejects.toThrow(/WEBHOOKS_FILE: "crm" names a tenant that no key has.*default, other/)
    rmSync(file)
    await expect(openFile()).rejects.toThrow(/WEBHOOKS_FILE: .*ENOENT/)
    await open()
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
