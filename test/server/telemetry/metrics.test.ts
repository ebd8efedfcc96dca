import { afterEach, describe, expect, test } from 'vitest'
import type { Env } from '../../../server/config/config.ts'
import { BindError } from '../../../server/errors.ts'
import type { Store } from '../../../server/store/store.ts'
import { createMetrics } from '../../../server/telemetry/metrics.ts'
import { readMetrics } from '../../support/metrics.ts'
import { addUser, bindTo } from '../../support/rows.ts'
import { openTestServer, type TestServer, type TestServerOptions } from '../../support/test-server.ts'

let testServer: TestServer
afterEach(() => testServer.close())

async function open(env: Env = {}, options: TestServerOptions = {}): Promise<void> {
  testServer = await openTestServer(env, options)
}

const read = async (name: string) => (await readMetrics(testServer)).get(name)

const steps = async () => {
  const all = [...(await readMetrics(testServer))]
  const counted = all.map(
    ([name, value]) => [/^wechat_bind_funnel_total{step="(\w+)"}$/.exec(name)?.[1], value] as const,
  )
  return Object.fromEntries(counted.filter(([step, value]) => step !== undefined && value > 0))
}

async function scan(person: string, url: string): Promise<void> {
  if ((await testServer.phone(person).scan(url)) === 'follow') await testServer.phone(person).follow()
}

const digitsOf = (person: string) => /\b(\d{4})\b/.exec(JSON.stringify(testServer.phone(person).chat))?.[1] ?? ''

describe('the funnel', () => {
  test('counts a QR code, its scan and its binding, and measures the time from the QR code to the binding', async () => {
    await open()
    const url = await testServer.ticketUrl()
    await testServer.ticketUrl()
    testServer.time.advance(7_000)
    await scan('amy', url)
    expect(await steps()).toEqual({ shown: 1, scanned: 1, bound: 1 })
    expect(await read('wechat_bind_time_to_bind_seconds_sum')).toBe(7)
    expect(await read('wechat_bind_time_to_bind_seconds_bucket{le="5"}')).toBe(0)
    expect(await read('wechat_bind_time_to_bind_seconds_bucket{le="10"}')).toBe(1)
  })

  test('counts the confirmation as a separate step', async () => {
    await open({ CONFIRM: 'code' })
    await scan('amy', await testServer.ticketUrl())
    expect(await steps()).toEqual({ shown: 1, scanned: 1 })
    const digits = digitsOf('amy')
    const wrong = String((Number(digits) + 1) % 10_000).padStart(4, '0')
    await testServer.widget('POST', '/confirm', { body: { code: wrong } })
    await testServer.widget('POST', '/confirm', { body: { code: digits } })
    expect(await steps()).toEqual({ shown: 1, scanned: 1, confirmed: 1, bound: 1 })
    expect(await read('wechat_bind_wrong_codes_total{where="page"}')).toBe(1)
  })

  test('counts refused scans as expired or conflict', async () => {
    await open()
    const replaced = await testServer.ticketUrl('u1')
    await scan('amy', await testServer.ticketUrl('u1', true))
    await scan('bo', replaced)
    await scan('amy', await testServer.ticketUrl('u2'))
    expect(await steps()).toEqual({ shown: 3, scanned: 1, bound: 1, expired: 1, conflict: 1 })
  })

  test('counts a conflict that is found at the confirmation', async () => {
    await open({ CONFIRM: 'code' })
    await scan('amy', await testServer.ticketUrl('u1'))
    // Another server on the same store, whose CONFIRM is still off, binds the same WeChat to u2.
    const { store, events } = testServer.deps
    const u2 = await addUser(store, { tenant: 'default', account: 'acme', userId: 'u2' })
    await bindTo(store, u2, testServer.phone('amy').openid, events.appId)
    const answer = await testServer.widget('POST', '/confirm', { body: { code: digitsOf('amy') } })
    expect([answer.status, (await answer.json()).code]).toEqual([409, 'CONFLICT'])
    expect(await steps()).toEqual({ shown: 1, scanned: 1, conflict: 1 })
  })

  test('counts wrong codes in the chat', async () => {
    await open()
    await scan('amy', await testServer.ticketUrl())
    await testServer.phone('amy').sendText('绑定 22222222')
    expect(await read('wechat_bind_wrong_codes_total{where="chat"}')).toBe(1)
  })
})

describe('the calls to WeChat', () => {
  test('are counted by errcode, and an unknown errcode as other', async () => {
    await open()
    const { faults } = testServer.simulator
    await testServer.ticketUrl()
    faults.fail('/cgi-bin/qrcode/create', 45009)
    await expect(testServer.ticketUrl('u2')).rejects.toMatchObject({ code: 'WECHAT_QUOTA' })
    faults.fail('/cgi-bin/qrcode/create', 987_654)
    await expect(testServer.ticketUrl('u3')).rejects.toMatchObject({ code: 'WECHAT_FORBIDDEN' })
    faults.setDown(true)
    await expect(testServer.ticketUrl('u4')).rejects.toMatchObject({ code: 'WECHAT_UNAVAILABLE' })
    const answers = (errcode: string) => read(`wechat_bind_wechat_answers_total{call="qrcode",errcode="${errcode}"}`)
    expect([await answers('0'), await answers('45009'), await answers('other'), await answers('none')]).toEqual([
      1, 1, 1, 1,
    ])
    expect(await read('wechat_bind_wechat_duration_seconds_count{call="qrcode"}')).toBe(4)
    expect(await read('wechat_bind_wechat_answers_total{call="token",errcode="0"}')).toBe(1)
  })

  test('are counted once for a batch of followers', async () => {
    await open()
    const { wechat } = testServer.deps
    await wechat.getUserInfos(['amy', 'bo'].map((person) => testServer.phone(person).openid))
    await wechat.getUserInfo(testServer.phone('amy').openid)
    expect(await read('wechat_bind_wechat_answers_total{call="user_info",errcode="0"}')).toBe(2)
  })

  test('report when the access token was fetched and when it expires', async () => {
    await open()
    expect(await read('wechat_bind_access_token_timestamp_seconds')).toBeUndefined()
    const fetchedAt = testServer.time.clock() / 1000
    await testServer.ticketUrl()
    testServer.time.advance(60_000)
    expect(await read('wechat_bind_access_token_timestamp_seconds')).toBe(fetchedAt)
    expect(await read('wechat_bind_access_token_expiry_timestamp_seconds')).toBe(fetchedAt + 7200)
  })
})

describe('the store', () => {
  test('is timed per operation', async () => {
    await open()
    await testServer.bindInfo()
    expect(await read('wechat_bind_store_duration_seconds_count{operation="user"}')).toBe(1)
    expect(await read('wechat_bind_store_failures_total{operation="user"}')).toBe(0)
  })

  test('counts STORE_UNAVAILABLE as a failure, and does not count a refusal', async () => {
    const breaking = (store: Store): Store => ({
      ...store,
      user: () => Promise.reject(new BindError('STORE_UNAVAILABLE', 'gone')),
      ping: () => Promise.reject(new BindError('CONFLICT', 'no')),
    })
    await open({}, { wrapStore: breaking })
    await testServer.app.request('/readyz')
    await expect(testServer.bindInfo()).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
    expect(await read('wechat_bind_store_failures_total{operation="user"}')).toBe(1)
    expect(await read('wechat_bind_store_failures_total{operation="ping"}')).toBe(0)
  })
})

describe('the webhook lag', () => {
  const settings = { WEBHOOK_URL: 'http://receiver.test/hook', WEBHOOK_SECRET: `whsec_${'A'.repeat(43)}=` }

  test('is the age of the oldest undelivered change, or 0', async () => {
    await open(settings, { neighbour: async () => new Response(null, { status: 503 }) })
    expect(await read('wechat_bind_webhook_lag_seconds')).toBe(0)
    await scan('amy', await testServer.ticketUrl())
    testServer.time.advance(90_000)
    await testServer.widget('DELETE', '/binding')
    expect(await read('wechat_bind_webhook_lag_seconds')).toBe(90)
  })

  test('counts no receiver that is not configured any more', async () => {
    await open(settings)
    const { outbox } = testServer.deps.store
    const failed = { now: 1, failure: { status: 410, error: null }, isGone: true, pausedUntil: null }
    await outbox.receiverFailed({ ...failed, name: 'removed' })
    expect(await read('wechat_bind_webhook_receivers_off')).toBe(0)
    await outbox.receiverFailed({ ...failed, name: 'WEBHOOK_URL' })
    expect(await read('wechat_bind_webhook_receivers_off')).toBe(1)
  })

  test('is absent when the store fails, and without a webhook', async () => {
    const failing = (store: Store): Store => ({
      ...store,
      outbox: { ...store.outbox, oldestAt: () => Promise.reject(new Error('gone')) },
    })
    await open(settings, { wrapStore: failing })
    expect(await read('wechat_bind_webhook_lag_seconds')).toBeUndefined()
    await testServer.close()
    await open()
    expect(await read('wechat_bind_webhook_lag_seconds')).toBeUndefined()
  })
})

describe('requests', () => {
  test('are counted by route, with no value from the URL', async () => {
    await open()
    await testServer.app.request('/amy/secret?token=hush')
    await testServer.app.request('/wechat/callback?signature=hush&timestamp=1&nonce=2')
    await testServer.widget('GET', '/binding')
    expect(await read('wechat_bind_http_requests_total{route="none",status="404"}')).toBe(1)
    expect(await read('wechat_bind_http_requests_total{route="/wechat/callback",status="403"}')).toBe(1)
    expect(await read('wechat_bind_http_requests_total{route="/widget/binding",status="200"}')).toBe(1)
    expect(await (await testServer.app.request('/metrics')).text()).not.toContain('hush')
  })
})

describe('createMetrics', () => {
  test('gives every metric a help text and a name that follows the conventions', async () => {
    await open()
    const text = await createMetrics(() => 0).render()
    const types = [...text.matchAll(/^# TYPE (\w+) (\w+)$/gm)].map(([, name = '', type]) => ({ name, type }))
    expect(types.length).toBeGreaterThan(12)
    for (const { name, type } of types) {
      expect(name).toMatch(/^wechat_bind_/)
      if (type === 'counter') expect(name).toMatch(/_total$/)
      if (type === 'histogram') expect(name).toMatch(/_seconds$/)
      expect(text).toMatch(new RegExp(`^# HELP ${name} .{10,}`, 'm'))
    }
  })
})
