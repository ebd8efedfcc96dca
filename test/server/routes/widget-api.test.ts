import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Env } from '../../../server/config/config.ts'
import { sealEnvelope } from '../../../server/keys/envelope.ts'
import type { BindingView, TicketView } from '../../../server/wire.ts'
import { readQr } from '../../support/read-qr.ts'
import { openTestServer, SECRET, type TestServer } from '../../support/test-server.ts'

let testServer: TestServer
beforeEach(async () => {
  testServer = await openTestServer()
})
afterEach(() => testServer.close())

async function reopen(env: Env): Promise<void> {
  await testServer.close()
  testServer = await openTestServer(env)
}

const ticketOf = async (user?: string, body?: unknown): Promise<TicketView> =>
  (await testServer.widget('POST', '/qrcode', { user, body })).json()

const poll = (version: number, more: { wait?: number; user?: string; signal?: AbortSignal } = {}) =>
  testServer.widget('GET', '/binding', {
    ...more,
    headers: { 'If-None-Match': `"${version}"`, Prefer: `wait=${more.wait ?? 25}` },
  })

/** Resolves once this many polls wait. */
async function parked(count: number): Promise<void> {
  while (testServer.deps.waiters.count() !== count) await new Promise(setImmediate)
}

/** Scans, and follows the account if the phone does not follow it yet. Both bind. */
async function bindTo(person: string, user = 'u1'): Promise<void> {
  const { url } = await ticketOf(user)
  if ((await testServer.phone(person).scan(url)) === 'follow') await testServer.phone(person).follow()
}

describe('POST /widget/qrcode', () => {
  test('answers a ticket whose QR drawing decodes to its url', async () => {
    const response = await testServer.widget('POST', '/qrcode', { body: { refresh: false } })
    expect(response.status).toBe(200)
    expect(response.headers.get('cache-control')).toBe('no-store')
    const ticket = (await response.json()) as TicketView
    expect(ticket).toMatchObject({ state: 'unbound', expiresIn: 120, version: 0 })
    expect(ticket.url).toMatch(/^http:\/\/weixin\.qq\.com\/q\//)
    expect(ticket.code).toMatch(/^[2-9A-HJKMNP-Z]{8}$/)
    expect(readQr(ticket.qr)).toBe(ticket.url)
  })

  test('treats an empty body as an empty object', async () => {
    expect((await testServer.widget('POST', '/qrcode')).status).toBe(200)
  })

  test('answers the same ticket until a sixth of its lifetime is left', async () => {
    const { url } = await ticketOf()
    testServer.time.advance(99_000)
    expect(await ticketOf()).toMatchObject({ url, expiresIn: 21 })
    testServer.time.advance(1_000)
    expect((await ticketOf()).url).not.toBe(url)
  })

  test('makes a new ticket on refresh, and the old ticket stops working', async () => {
    const old = await ticketOf()
    const fresh = await ticketOf('u1', { refresh: true })
    expect(fresh.url).not.toBe(old.url)
    await testServer.phone('amy').scan(old.url)
    await testServer.phone('amy').follow()
    expect((await testServer.bindInfo()).IsBound).toBe(false)
    expect(testServer.phone('amy').chat.at(-1)?.content).toContain('已失效')
  })

  test('makes the chat use the language of the page that has shown the QR code last', async () => {
    const show = (lang: string) => testServer.widget('POST', '/qrcode', { headers: { 'Accept-Language': lang } })
    const [first, again] = [await (await show('zh-CN')).json(), await (await show('en')).json()]
    expect(again.url).toBe(first.url)
    await testServer.phone('amy').scan(again.url)
    await testServer.phone('amy').follow()
    expect(testServer.phone('amy').chat.at(-1)?.content).toContain('now bound to')
  })

  test('keeps the language of the page when the back end asks for the QR code', async () => {
    const { url } = await (await testServer.widget('POST', '/qrcode', { headers: { 'Accept-Language': 'en' } })).json()
    expect(await testServer.ticketUrl()).toBe(url)
    await testServer.phone('amy').scan(url)
    await testServer.phone('amy').follow()
    expect(testServer.phone('amy').chat.at(-1)?.content).toContain('now bound to')
  })

  test('answers the bound state, with its version as ETag, to a bound user', async () => {
    await bindTo('amy')
    const response = await testServer.widget('POST', '/qrcode')
    expect(response.headers.get('etag')).toBe('"1"')
    expect(await response.json()).toEqual({
      state: 'bound',
      boundAt: Math.floor(testServer.time.clock() / 1000),
      version: 1,
    })
  })

  test('makes one call to WeChat for simultaneous requests', async () => {
    const answers = await Promise.all(Array.from({ length: 50 }, () => ticketOf()))
    expect(new Set(answers.map(({ url }) => url)).size).toBe(1)
    expect(testServer.simulator.wire.since(0).filter(({ url }) => url.includes('qrcode/create'))).toHaveLength(1)
  })

  test('limits new QR codes per user and minute, with Retry-After', async () => {
    for (let i = 0; i < 10; i++) await ticketOf('u1', { refresh: true })
    const refused = await testServer.widget('POST', '/qrcode', { body: { refresh: true } })
    expect(refused.status).toBe(429)
    expect(refused.headers.get('retry-after')).toBe('60')
    expect(await refused.json()).toMatchObject({ code: 'RATE_LIMITED', status: 429 })
    expect((await ticketOf('u2', { refresh: true })).state).toBe('unbound')
    testServer.time.advance(60_001)
    expect((await ticketOf('u1', { refresh: true })).state).toBe('unbound')
  })

  test('limits new QR codes per tenant, without effect on other tenants', async () => {
    await reopen({ QR_PER_MINUTE_TENANT: '3' })
    const statuses: number[] = []
    for (const user of ['a', 'b', 'c', 'd'])
      statuses.push((await testServer.widget('POST', '/qrcode', { user })).status)
    expect(statuses).toEqual([200, 200, 200, 429])
    expect((await testServer.otherTenant.getQrCode({ account: 'acme', userId: 'd' })).ExpireSeconds).toBe(120)
    testServer.time.advance(60_000)
    expect((await testServer.widget('POST', '/qrcode', { user: 'd' })).status).toBe(200)
  })

  test.each([
    [48001, 502, 'WECHAT_FORBIDDEN'],
    [45009, 503, 'WECHAT_QUOTA'],
    [40013, 502, 'WECHAT_FORBIDDEN'],
  ])('answers errcode %i with %i %s, as problem details', async (errcode, status, code) => {
    testServer.simulator.faults.fail('/cgi-bin/qrcode/create', errcode, 9)
    const response = await testServer.widget('POST', '/qrcode')
    expect(response.status).toBe(status)
    expect(response.headers.get('content-type')).toBe('application/problem+json')
    expect(await response.json()).toMatchObject({ code, status })
  })

  test('answers the current ticket when WeChat is down, while this ticket is valid', async () => {
    const { url } = await ticketOf()
    testServer.time.advance(110_000)
    testServer.simulator.faults.setDown(true)
    expect(await ticketOf()).toMatchObject({ url, expiresIn: 10 })
    // With less than a second left `expiresIn` would be 0. A retryable error is better than such a ticket.
    testServer.time.advance(9001)
    expect((await testServer.widget('POST', '/qrcode')).status).toBe(503)
  })

  test.each([['{'], ['[]'], ['{"refresh":"yes"}']])('refuses the body %s', async (body) => {
    const token = await testServer.client.mintToken({ account: 'acme', userId: 'u1' })
    const response = await testServer.app.request('/widget/qrcode', {
      method: 'POST',
      headers: { Authorization: `Bearer ${token}` },
      body,
    })
    expect(response.status).toBe(400)
    expect(await response.json()).toMatchObject({ code: 'BAD_REQUEST' })
  })

  test('refuses a body of 1 MB before parsing it', async () => {
    const response = await testServer.widget('POST', '/qrcode', { body: { pad: 'x'.repeat(1_000_000) } })
    expect(response.status).toBe(413)
    expect(await response.json()).toMatchObject({ code: 'TOO_LARGE' })
  })
})

describe('the name of the Official Account', () => {
  test('is in the view of the QR code if ACCOUNT_NAME is set, and missing otherwise', async () => {
    expect(await ticketOf()).not.toHaveProperty('account')
    await reopen({ ACCOUNT_NAME: '安客科技' })
    expect(await ticketOf()).toMatchObject({ account: '安客科技' })
  })
})

describe('a refused scan', () => {
  const binding = async (user = 'u1'): Promise<BindingView> =>
    (await testServer.widget('GET', '/binding', { user })).json()

  test('wakes the page with the notice `conflict` when the WeChat is bound to another user', async () => {
    await bindTo('amy', 'u2')
    const { url, version } = await ticketOf()
    const waiting = poll(version)
    await parked(1)
    await testServer.phone('amy').scan(url)
    expect(await (await waiting).json()).toEqual({ state: 'unbound', version: version + 1, notice: 'conflict' })
    expect(await ticketOf()).toMatchObject({ url, version: version + 1, notice: 'conflict' })
  })

  test('shows the notice `expired_scan` only to the user of the replaced QR code', async () => {
    const old = await ticketOf()
    await ticketOf('u1', { refresh: true })
    await ticketOf('u2')
    await testServer.phone('amy').scan(old.url)
    await testServer.phone('amy').follow()
    expect(await binding()).toEqual({ state: 'unbound', version: old.version + 1, notice: 'expired_scan' })
    expect(await binding('u2')).toEqual({ state: 'unbound', version: 0 })
  })

  test('raises the version at most once in 10 s, and has no notice after 60 s', async () => {
    await bindTo('amy', 'u2')
    const { url } = await ticketOf()
    for (let scans = 0; scans < 3; scans++) {
      testServer.time.advance(1000)
      await testServer.phone('amy').scan(url)
    }
    expect(await binding()).toEqual({ state: 'unbound', version: 1, notice: 'conflict' })
    testServer.time.advance(9000)
    await testServer.phone('amy').scan(url)
    expect(await binding()).toEqual({ state: 'unbound', version: 2, notice: 'conflict' })
    testServer.time.advance(60_000)
    expect(await binding()).toEqual({ state: 'unbound', version: 2 })
  })

  test('has no notice after the next change', async () => {
    await bindTo('amy', 'u2')
    const { url } = await ticketOf()
    await testServer.phone('amy').scan(url)
    await bindTo('bob')
    expect(await binding()).not.toHaveProperty('notice')
  })
})

describe('GET /widget/binding', () => {
  test('sends an opaque name of the user, which no other user has', async () => {
    const nameIn = (response: Response) => response.headers.get('Bind-User')
    const asked = nameIn(await testServer.widget('POST', '/qrcode'))
    const name = nameIn(await testServer.widget('GET', '/binding'))
    expect(name).toMatch(/^[\w-]{43}$/)
    expect(asked).toBe(name)
    expect(nameIn(await testServer.widget('GET', '/binding', { user: 'u2' }))).not.toBe(name)
  })

  test('answers at once without a version, with the version as ETag', async () => {
    const response = await testServer.widget('GET', '/binding')
    expect(response.headers.get('etag')).toBe('"0"')
    expect(await response.json()).toEqual({ state: 'unbound', version: 0 })
  })

  test('answers at once when the version is old', async () => {
    await bindTo('amy')
    expect(await (await poll(0)).json()).toMatchObject({ state: 'bound', version: 1 })
  })

  test('waits, and answers as soon as the version changes', async () => {
    const { url, version } = await ticketOf()
    const waiting = poll(version)
    await parked(1)
    await testServer.phone('amy').scan(url)
    await testServer.phone('amy').follow()
    const response = await waiting
    expect(response.headers.get('etag')).toBe('"1"')
    expect(await response.json()).toMatchObject({ state: 'bound', version: 1 })
    expect(testServer.deps.waiters.count()).toBe(0)
  })

  test('asks the pages to spread their return when thousands wait, and not when few do', async () => {
    const asked = async () => (await poll(0, { wait: 0 })).headers.get('bind-reconnect')
    const park = (count: number) => {
      for (let i = 0; i < count; i++)
        testServer.deps.waiters.park({ tenant: 'default', account: 'acme', userId: `u${i}` }, 0, 1)
    }
    park(1_199)
    expect(await asked()).toBeNull()
    park(1_201)
    expect(await asked()).toBe('2')
  })

  test('wakes every page of the user and no page of other users', async () => {
    const { url } = await ticketOf('u1')
    const pages = [poll(0, { user: 'u1' }), poll(0, { user: 'u1' })]
    const other = poll(0, { user: 'u2' })
    await parked(3)
    await testServer.phone('amy').scan(url)
    await testServer.phone('amy').follow()
    expect((await Promise.all(pages)).map(({ status }) => status)).toEqual([200, 200])
    expect(testServer.deps.waiters.count()).toBe(1)
    testServer.time.advance(25_000)
    expect((await other).status).toBe(304)
  })

  test.each([
    [10, 10_000],
    [25, 25_000],
    [3600, 25_000],
  ])('ends a wait of %i s after %i ms with 304 and no body', async (wait, ms) => {
    const waiting = poll(0, { wait })
    await parked(1)
    testServer.time.advance(ms - 1)
    expect(testServer.deps.waiters.count()).toBe(1)
    testServer.time.advance(1)
    const response = await waiting
    expect([response.status, await response.text(), response.headers.get('etag')]).toEqual([304, '', '"0"'])
  })

  test('continues to wait, for the rest of its time, when it reads again and finds the same version', async () => {
    const waiting = poll(0, { wait: 20 })
    await parked(1)
    testServer.time.advance(5_000)
    testServer.deps.waiters.wake('missed')
    await parked(1)
    testServer.time.advance(14_999)
    expect(testServer.deps.waiters.count()).toBe(1)
    testServer.time.advance(1)
    expect((await waiting).status).toBe(304)
  })

  test('answers at once when a change follows a read that found the same version', async () => {
    const { url, version } = await ticketOf()
    const waiting = poll(version)
    await parked(1)
    testServer.deps.waiters.wake('missed')
    await parked(1)
    await testServer.phone('amy').scan(url)
    await testServer.phone('amy').follow()
    expect(await (await waiting).json()).toMatchObject({ state: 'bound', version: 1 })
    expect(testServer.deps.waiters.count()).toBe(0)
  })

  test('does not wait without Prefer or without a valid version', async () => {
    const unchanged = await testServer.widget('GET', '/binding', { headers: { 'If-None-Match': '"0"' } })
    const strange = await testServer.widget('GET', '/binding', {
      headers: { 'If-None-Match': '"abc"', Prefer: 'wait=25' },
    })
    expect([unchanged.status, strange.status]).toEqual([304, 200])
  })

  test('removes a client that disconnects', async () => {
    const hangUp = new AbortController()
    const waiting = poll(0, { signal: hangUp.signal })
    await parked(1)
    hangUp.abort()
    await waiting
    expect([testServer.deps.waiters.count(), testServer.time.pending()]).toEqual([0, 0])
  })

  test('answers a waiting page at shutdown', async () => {
    const waiting = poll(0)
    await parked(1)
    testServer.stopWaiting()
    expect((await waiting).status).toBe(304)
  })

  test('answers the reason of the last unbinding', async () => {
    await bindTo('amy')
    await testServer.phone('amy').unfollow()
    expect(await (await poll(1)).json()).toEqual({ state: 'unbound', reason: 'unsubscribe', version: 2 })
  })

  test('never contains an openid, a unionid or a scene', async () => {
    await bindTo('amy')
    const text = await (await testServer.widget('GET', '/binding')).text()
    expect(text).not.toContain(testServer.phone('amy').openid)
    expect(Object.keys(JSON.parse(text))).toEqual(['state', 'boundAt', 'version'])
  })
})

describe('DELETE /widget/binding', () => {
  test('unbinds and answers the new state, even if repeated', async () => {
    await bindTo('amy')
    const first = await testServer.widget('DELETE', '/binding')
    expect(await first.json()).toEqual({ state: 'unbound', reason: 'widget', version: 2 })
    expect(await (await testServer.widget('DELETE', '/binding')).json()).toEqual({
      state: 'unbound',
      reason: 'widget',
      version: 2,
    })
  })
})

describe('POST /widget/confirm', () => {
  const digitsOf = (person: string) => /\d{4}/.exec(testServer.phone(person).chat.at(-1)?.content ?? '')?.[0] ?? ''
  const confirm = (code: string) => testServer.widget('POST', '/confirm', { body: { code } })
  const wrong = (digits: string) => String((Number(digits) + 1) % 10_000).padStart(4, '0')

  beforeEach(() => reopen({ CONFIRM: 'code' }))

  test('binds by the digits that the chat shows', async () => {
    await bindTo('amy')
    expect(await (await poll(0)).json()).toEqual({ state: 'scanned', confirm: 'code', version: 1 })
    const response = await confirm(digitsOf('amy'))
    expect(await response.json()).toMatchObject({ state: 'bound', version: 2 })
  })

  test('invalidates the ticket after three wrong tries', async () => {
    await bindTo('amy')
    const digits = digitsOf('amy')
    const left: unknown[] = []
    for (let i = 0; i < 3; i++) {
      const response = await confirm(wrong(digits))
      expect(response.status).toBe(422)
      left.push(((await response.json()) as { triesLeft: number }).triesLeft)
    }
    expect(left).toEqual([2, 1, 0])
    const late = await confirm(digits)
    expect([late.status, ((await late.json()) as { code: string }).code]).toEqual([409, 'NOT_SCANNED'])
    expect(await (await poll(1)).json()).toMatchObject({ state: 'unbound', version: 2 })
  })

  test('refuses new tickets after three invalidated tickets in an hour', async () => {
    for (let ticket = 0; ticket < 3; ticket++) {
      await bindTo('amy')
      const digits = digitsOf('amy')
      for (let i = 0; i < 3; i++) await confirm(wrong(digits))
    }
    const refused = await testServer.widget('POST', '/qrcode')
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '3600'])
  })

  test('ends the scan after 120 s and wakes the page', async () => {
    await bindTo('amy')
    const waiting = poll(1)
    await parked(1)
    testServer.time.advance(25_000)
    expect((await waiting).status).toBe(304)
    testServer.time.advance(90_000)
    const last = poll(1)
    await parked(1)
    testServer.time.advance(5_000)
    expect(await (await last).json()).toMatchObject({ state: 'unbound', version: 2 })
    expect((await confirm(digitsOf('amy'))).status).toBe(409)
  })

  test('refuses a code that is not four digits without counting it', async () => {
    await bindTo('amy')
    expect((await confirm('12345')).status).toBe(400)
    expect((await confirm(digitsOf('amy'))).status).toBe(200)
  })
})

describe('the widget token', () => {
  const refusalOf = async (response: Response) => [response.status, ((await response.json()) as { code: string }).code]

  test('is required for every request', async () => {
    const answers = await Promise.all(
      [
        ['POST', '/qrcode'],
        ['GET', '/binding'],
        ['POST', '/confirm'],
        ['DELETE', '/binding'],
      ].map(([method, path]) => testServer.app.request(`/widget${path}`, { method })),
    )
    expect(answers.map(({ status }) => status)).toEqual([401, 401, 401, 401])
  })

  test('is refused with TOKEN_EXPIRED after its lifetime', async () => {
    const token = await testServer.client.mintToken({ account: 'acme', userId: 'u1', ttlSeconds: 60 })
    expect((await testServer.widget('GET', '/binding', { token })).status).toBe(200)
    testServer.time.advance(60_000)
    expect(await refusalOf(await testServer.widget('GET', '/binding', { token }))).toEqual([401, 'TOKEN_EXPIRED'])
  })

  test('is refused when the page sends a request of the encrypted API as the token', async () => {
    const claims = { Account: 'acme', User_ID: 'u1', iat: 1_768_464_000, exp: 1_768_464_600 }
    const token = await sealEnvelope(claims, { kid: 'k1' }, Buffer.from(SECRET, 'base64url'))
    expect(await refusalOf(await testServer.widget('GET', '/binding', { token }))).toEqual([401, 'UNAUTHORIZED'])
  })

  test('allows only the actions of its scope', async () => {
    const scope: ('bind' | 'unbind')[] = ['bind']
    expect(await refusalOf(await testServer.widget('DELETE', '/binding', { scope }))).toEqual([403, 'FORBIDDEN'])
    expect((await testServer.widget('POST', '/qrcode', { scope })).status).toBe(200)
    expect((await testServer.widget('GET', '/binding', { scope: ['unbind'] })).status).toBe(200)
    expect((await testServer.widget('POST', '/qrcode', { scope: ['unbind'] })).status).toBe(403)
  })

  test('is valid only for its tenant', async () => {
    await bindTo('amy')
    const token = await testServer.otherTenant.mintToken({ account: 'acme', userId: 'u1' })
    const view = (await (await testServer.widget('GET', '/binding', { token })).json()) as BindingView
    expect(view.state).toBe('unbound')
  })
})

describe('CORS', () => {
  const preflight = (origin: string) =>
    testServer.app.request('/widget/binding', {
      method: 'OPTIONS',
      headers: { Origin: origin, 'Access-Control-Request-Method': 'GET' },
    })

  test('allows the listed origins, with a preflight cached for two hours', async () => {
    await reopen({ ALLOWED_ORIGINS: 'https://app.example, https://www.example' })
    const { status, headers } = await preflight('https://app.example')
    expect([status, headers.get('access-control-allow-origin'), headers.get('access-control-max-age')]).toEqual([
      204,
      'https://app.example',
      '7200',
    ])
    expect(headers.get('access-control-allow-headers')).toBe('Authorization,Content-Type,If-None-Match,Prefer')
  })

  test('allows no other origin, and by default none', async () => {
    expect((await preflight('https://app.example')).headers.get('access-control-allow-origin')).toBeNull()
    await reopen({ ALLOWED_ORIGINS: 'https://app.example' })
    expect((await preflight('https://evil.example')).headers.get('access-control-allow-origin')).toBeNull()
  })

  test('lets the page read a refusal', async () => {
    await reopen({ ALLOWED_ORIGINS: 'https://app.example' })
    const response = await testServer.app.request('/widget/binding', { headers: { Origin: 'https://app.example' } })
    expect([response.status, response.headers.get('access-control-allow-origin')]).toEqual([401, 'https://app.example'])
    expect(response.headers.get('access-control-expose-headers')).toBe(
      'ETag,Retry-After,X-Request-Id,Bind-User,Bind-Reconnect',
    )
  })
})
