/** FORWARD_URL: messages that do not concern binding go to the system that handled the callback before. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Env } from '../../../server/config/config.ts'
import { createForwarder } from '../../../server/outbound/forwarder.ts'
import type { Fetch } from '../../../server/platform.ts'
import { createMetrics } from '../../../server/telemetry/metrics.ts'
import { openTestServer, type TestServer } from '../../support/test-server.ts'

type Received = { url: string; body: string; contentType: string }

let testServer: TestServer
let received: Received[]
/** The answer of the other system. */
let neighbour: (received: Received) => Response | Promise<Response>

async function open(env: Env = {}): Promise<void> {
  await testServer?.close()
  received = []
  neighbour = () => new Response('<xml>theirs</xml>', { headers: { 'Content-Type': 'text/xml' } })
  const fetch: Fetch = async (url, init) => {
    const request = new Request(url, init)
    const delivery = { url, body: await request.text(), contentType: request.headers.get('Content-Type') ?? '' }
    received.push(delivery)
    return neighbour(delivery)
  }
  testServer = await openTestServer({ FORWARD_URL: 'http://neighbour.test/wx', ...env }, { neighbour: fetch })
}

beforeEach(() => open())
afterEach(() => testServer.close())

async function deliver(fields: Record<string, string | number>) {
  const { path: url, body } = testServer.message(fields)
  const headers = { 'Content-Type': 'text/xml; charset=x' }
  const response = await testServer.app.request(url, { method: 'POST', body, headers })
  return { url, body, status: response.status, text: await response.text() }
}

const text = { MsgType: 'text', Content: 'hello', MsgId: '1' }
const toText = (Content: string) => ({ ...text, Content, MsgId: Content })

const metric = async (line: string) => (await testServer.deps.metrics.render()).includes(line)

async function newScene(): Promise<string> {
  const url = await testServer.ticketUrl()
  return testServer.simulator.memory().qrcodes.find((qrcode) => qrcode.url === url)?.scene ?? ''
}

describe('FORWARD_URL', () => {
  test('relays other messages byte for byte, and returns the reply', async () => {
    const { url, body, text: reply } = await deliver(text)
    expect(received).toEqual([
      { url: url.replace('/wechat/callback', 'http://neighbour.test/wx'), body, contentType: 'text/xml; charset=x' },
    ])
    expect(reply).toBe('<xml>theirs</xml>')
    expect(await metric('wechat_bind_forwards_total{outcome="replied"} 1')).toBe(true)
  })

  test('keeps the query of FORWARD_URL', async () => {
    await open({ FORWARD_URL: 'http://neighbour.test/wx?app=7' })
    const { url } = await deliver(text)
    expect(received[0]?.url).toBe(url.replace('/wechat/callback?', 'http://neighbour.test/wx?app=7&'))
  })

  /** The other system is down, answers with an error, or sends too long an answer. */
  const faults: (() => Response | Promise<Response>)[] = [
    () => Promise.reject(new TypeError('fetch failed', { cause: refusedConnection })),
    () => new Response('<html>', { status: 502 }),
    () => new Response('x'.repeat(70_000)),
  ]
  const refusedConnection = Object.assign(new Error('connect ECONNREFUSED 192.0.2.1:80'), { code: 'ECONNREFUSED' })

  test('answers 500 when the other system is down or fails, so that WeChat sends the message again', async () => {
    for (const fault of faults) {
      neighbour = fault
      expect(await deliver(text)).toMatchObject({ status: 500, text: 'failed' })
    }
    expect(await metric('wechat_bind_forwards_total{outcome="failed"} 3')).toBe(true)
    neighbour = () => new Response('success')
    expect(await deliver(text)).toMatchObject({ status: 200, text: 'success' })
  })

  test('answers success under FORWARD_ERRORS=hide when the other system is down or fails', async () => {
    await open({ FORWARD_ERRORS: 'hide' })
    for (const fault of faults) {
      neighbour = fault
      expect(await deliver(text)).toMatchObject({ status: 200, text: 'success' })
    }
    expect(await metric('wechat_bind_forwards_total{outcome="failed"} 3')).toBe(true)
  })

  test('warns once a minute that the other system fails, with the error and the fix', async () => {
    const warnings = () => testServer.log.lines.filter((line) => line.includes('FORWARD_URL'))
    neighbour = faults[0]!
    for (const _ of [1, 2, 3]) await deliver(text)
    expect(warnings()).toEqual([expect.stringContaining('"cause":"connect ECONNREFUSED 192.0.2.1:80"')])
    testServer.time.advance(60_000)
    neighbour = faults[1]!
    await deliver(text)
    expect(warnings()[1]).toContain('"cause":"HTTP 502"')
  })

  test('does not relay a request that WeChat did not sign', async () => {
    await testServer.app.request('/wechat/callback?signature=x', { method: 'POST', body: '<xml></xml>' })
    expect(received).toEqual([])
  })

  test('does not relay a scan of a scene of this server', async () => {
    const scene = await newScene()
    expect((await deliver({ Event: 'SCAN', EventKey: scene })).text).toContain('<Encrypt>')
    expect(received).toEqual([])
  })

  test('sends follows and unfollows that are about binding, and ignores the reply', async () => {
    const { text: reply } = await deliver({ Event: 'subscribe', EventKey: `qrscene_${await newScene()}` })
    expect(reply).toContain('<Encrypt>')
    expect((await deliver({ Event: 'unsubscribe', EventKey: '' })).text).toBe('success')
    for (const Event of ['user_authorization_cancellation', 'user_authorization_revoke']) {
      expect((await deliver({ Event, OpenID: 'oAmy' })).text).toBe('success')
    }
    await testServer.deps.forwarder?.idle()
    expect(received).toHaveLength(4)
  })

  test('returns the reply of the other system to a follow without a scene of this server', async () => {
    expect((await deliver({ Event: 'subscribe', EventKey: '' })).text).toBe('<xml>theirs</xml>')
  })

  test('relays a command that has no effect', async () => {
    await open({ CONFIRM: 'reply' })
    for (const Content of ['yes', '确认', '解绑', 'bind password']) {
      expect((await deliver({ ...text, Content, MsgId: Content })).text).toBe('<xml>theirs</xml>')
    }
    neighbour = () => Promise.reject(new TypeError('fetch failed'))
    expect((await deliver({ ...text, Content: '解绑', MsgId: '9' })).status).toBe(500)
    await open({ FORWARD_ERRORS: 'hide' })
    neighbour = () => Promise.reject(new TypeError('fetch failed'))
    expect((await deliver({ ...text, Content: '解绑', MsgId: '9' })).text).toContain('<Encrypt>')
  })

  test('relays a second delivery again, because the first reply may be lost', async () => {
    await open({ CONFIRM: 'reply', FORWARD_ERRORS: 'hide' })
    for (const event of [{ Event: 'subscribe', EventKey: '' }, ...['yes', '解绑'].map(toText)]) {
      for (const _ of ['first', 'again']) expect((await deliver(event)).text).toBe('<xml>theirs</xml>')
    }
    expect(received).toHaveLength(6)
    neighbour = () => Promise.reject(new TypeError('fetch failed'))
    expect((await deliver(toText('解绑'))).text).toContain('<Encrypt>')
    expect((await deliver(toText('yes'))).text).toBe('success')
  })

  test('keeps the slash at the end of FORWARD_URL', async () => {
    await open({ FORWARD_URL: 'http://neighbour.test/wx/' })
    await deliver(text)
    expect(received[0]?.url).toMatch(/^http:\/\/neighbour\.test\/wx\/\?/)
  })

  test('also sends events about binding under FORWARD_ALL', async () => {
    await open({ FORWARD_ALL: 'true' })
    await deliver({ Event: 'SCAN', EventKey: await newScene() })
    await testServer.deps.forwarder?.idle()
    expect(received).toHaveLength(1)
  })
})

describe('createForwarder', () => {
  test('gives up after timeoutMs, and counts the delivery as late', async () => {
    const metrics = createMetrics(() => 0)
    const never: Fetch = (_, init) =>
      new Promise((_, reject) => init?.signal?.addEventListener('abort', () => reject(init.signal?.reason)))
    const settings = { forwardUrl: 'http://neighbour.test', forwardAll: false, forwardErrors: 'retry' as const }
    const forwarder = createForwarder(settings, { fetch: never, metrics, warn: () => true, timeoutMs: 5 })
    const delivery = { search: '?a=1', body: new Uint8Array(0), contentType: undefined }
    expect(await forwarder?.relay(delivery)).toBeUndefined()
    expect(await metrics.render()).toContain('wechat_bind_forwards_total{outcome="late"} 1')
  })

  test('keeps 16 MiB of bodies at most, and counts the rest as crowded', async () => {
    const metrics = createMetrics(() => 0)
    const { promise: answer, resolve } = Promise.withResolvers<Response>()
    const settings = { forwardUrl: 'http://neighbour.test', forwardAll: false, forwardErrors: 'retry' as const }
    const forwarder = createForwarder(settings, { fetch: () => answer, metrics, warn: () => true })
    const delivery = { search: '', body: new Uint8Array(64 * 1024), contentType: undefined }
    for (let i = 0; i < 300; i++) forwarder?.notify(delivery)
    resolve(new Response(null, { status: 204 }))
    await forwarder?.idle()
    forwarder?.notify(delivery)
    await forwarder?.idle()
    const text = await metrics.render()
    expect(text).toContain('wechat_bind_forwards_total{outcome="crowded"} 44')
    expect(text).toContain('wechat_bind_forwards_total{outcome="told"} 257')
  })
})

describe('a message that is not about binding', () => {
  test('causes no store access', async () => {
    await testServer.close()
    let uses = 0
    testServer = await openTestServer(
      {},
      {
        wrapStore: (store) =>
          new Proxy(store, {
            get(target, name) {
              const member = Reflect.get(target, name)
              if (typeof member !== 'function') return member
              return (...parameters: unknown[]) => {
                uses++
                return Reflect.apply(member, target, parameters)
              }
            },
          }),
      },
    )
    const before = uses
    const others: Record<string, string>[] = [
      text,
      { MsgType: 'image', PicUrl: 'http://x', MsgId: '2' },
      { Event: 'CLICK', EventKey: 'menu' },
      { Event: 'VIEW', EventKey: 'http://x' },
      { Event: 'SCAN', EventKey: 'vendor_1' },
      { Event: 'subscribe', EventKey: 'qrscene_vendor' },
      { Event: 'LOCATION', Latitude: '1' },
    ]
    for (const more of others) expect((await deliver(more)).text).toBe('success')
    expect(uses).toBe(before)
    await deliver({ Event: 'SCAN', EventKey: 'wb1_unknown' })
    expect(uses).toBe(before + 1)
  })
})
