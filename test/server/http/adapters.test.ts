/**
 * Sends the same requests to both adapters: the endpoints mounted in the Hono app, and the endpoints on Node's own server.
 * Compares the answers byte by byte, and also the log lines and the metrics.
 */
import type { Server } from 'node:http'
import { connect } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Fetching, startListening, stopListening } from '../../../server/http/listen.ts'
import { sealEnvelope } from '../../../server/keys/envelope.ts'
import { openTestServer, SECRET, type TestServer } from '../../support/test-server.ts'

const ORIGIN = 'https://www.example.com'
const KEY = new Uint8Array(Buffer.from(SECRET, 'base64url'))

let testServer: TestServer
let mounted: { server: Server; url: string }
let direct: { server: Server; url: string }
/** The number of requests that Node's adapter has left to the Hono app. */
let passedOn = 0
let token = ''

beforeAll(async () => {
  testServer = await openTestServer({ ALLOWED_ORIGINS: ORIGIN, TRUST_PROXY: 'true', MAX_WAITERS_USER: '1' })
  const { app, intercept } = testServer
  const counting: Fetching = {
    fetch(request, bindings) {
      passedOn++
      return app.fetch(request, bindings)
    },
  }
  mounted = await startListening(app, '127.0.0.1', 0)
  direct = await startListening(counting, '127.0.0.1', 0, { intercept })
  token = await testServer.client.mintToken({ account: 'acme', userId: 'u1' })
})
afterAll(async () => {
  testServer.stopWaiting()
  await Promise.all([mounted, direct].map(({ server }) => stopListening(server)))
  await testServer.close()
})

type Request = { line: string; headers?: string[]; body?: string; chunked?: string }

/** Sends a request on a connection of its own. */
function open(url: string, { line, headers = [], body, chunked }: Request) {
  const socket = connect(Number(new URL(url).port), '127.0.0.1').setEncoding('latin1')
  let said = ''
  socket.on('error', () => {})
  socket.on('data', (text) => {
    said += text
  })
  const closed = new Promise<string>((resolve) => socket.on('close', () => resolve(said)))
  const head = [`${line} HTTP/1.1`, 'Host: x', 'X-Request-Id: given-by-the-proxy', 'Connection: close', ...headers]
  if (body !== undefined) head.push(`Content-Length: ${body.length}`)
  if (chunked !== undefined) head.push('Transfer-Encoding: chunked')
  const chunks = chunked && `${chunked.length.toString(16)}\r\n${chunked}\r\n0\r\n\r\n`
  socket.write(`${head.join('\r\n')}\r\n\r\n${body ?? chunks ?? ''}`)
  return { socket, closed }
}

/** The answer without its date. Header names are compared in lower case and in any order, because neither matters in HTTP. */
function toFacts(said: string) {
  const [head = '', ...rest] = said.split('\r\n\r\n')
  const [status = '', ...lines] = head.split('\r\n')
  const headers = lines.map((line) => line.replace(/^[^:]+/, (name) => name.toLowerCase()))
  return { status, headers: headers.filter((line) => !line.startsWith('date:')).sort(), body: rest.join('\r\n\r\n') }
}

const logged = (from: number) => testServer.log.lines.slice(from).map((line) => ({ ...JSON.parse(line), ms: 0 }))

async function countedOf(route: string): Promise<number> {
  const text = await testServer.deps.metrics.render()
  const found = [...text.matchAll(/^wechat_bind_http_requests_total\{route="([^"]+)".*\} (\d+)$/gm)]
  return found.filter(([, name]) => name === route).reduce((sum, [, , count]) => sum + Number(count), 0)
}

/** The answer of one adapter, its log lines, and the increase of its counters. */
async function observe({ url }: { url: string }, request: Request, route: string) {
  const from = testServer.log.lines.length
  const before = await countedOf(route)
  const said = await open(url, request).closed
  while ((await countedOf(route)) === before) await new Promise(setImmediate)
  return { ...toFacts(said), log: logged(from), counted: (await countedOf(route)) - before }
}

const authorized = () => `Authorization: Bearer ${token}`
const POLL = ['If-None-Match: "0"', 'Prefer: wait=25']

function delivery(search = ''): { line: string; body: string } {
  const { path, body } = testServer.message()
  return { line: `POST ${path}${search}`, body }
}

describe('both adapters', () => {
  const callback = '/wechat/callback'
  const binding = '/widget/binding'
  test.each<[name: string, route: string, toRequest: () => Request]>([
    ['a message that is not about binding', callback, delivery],
    [
      'a forged message',
      callback,
      () => ({ ...delivery(), line: delivery().line.replace('msg_signature=', 'msg_signature=0') }),
    ],
    ['a message without a query', callback, () => ({ ...delivery(), line: `POST ${callback}` })],
    ['a parameter with the name __proto__', callback, () => delivery('&__proto__=1')],
    ['an invalid percent-encoding', callback, () => ({ line: `POST ${callback}?signature=%E0%A4%A`, body: '' })],
    ['a message over the limit', callback, () => ({ ...delivery(), body: 'x'.repeat(70_000) })],
    [
      'a message over the limit, in chunks',
      callback,
      () => ({ line: `POST ${callback}`, chunked: 'x'.repeat(70_000) }),
    ],
    ['a URL check without a signature', callback, () => ({ line: `GET ${callback}?echostr=1` })],
    ['HEAD of the callback', callback, () => ({ line: `HEAD ${callback}?echostr=1` })],
    [
      'an API call whose body is not a JWE',
      '/api/WeChat/GetBindInfo',
      () => ({ line: 'POST /api/WeChat/GetBindInfo', body: 'x' }),
    ],
    ['an API call without a body', '/api/WeChat/Disconnect', () => ({ line: 'POST /api/WeChat/Disconnect' })],
    [
      'an API call over the limit',
      '/api/WeChat/GetQrCode',
      () => ({ line: 'POST /api/WeChat/GetQrCode', body: 'x'.repeat(17_000) }),
    ],
    ['a poll without a token', binding, () => ({ line: `GET ${binding}`, headers: [`Origin: ${ORIGIN}`] })],
    ['a poll with a wrong token', binding, () => ({ line: `GET ${binding}`, headers: ['Authorization: Bearer x'] })],
    ['a poll with two tokens', binding, () => ({ line: `GET ${binding}`, headers: [authorized(), authorized()] })],
    [
      'a poll without a version',
      binding,
      () => ({ line: `GET ${binding}`, headers: [authorized(), `Origin: ${ORIGIN}`] }),
    ],
    [
      'a page of another origin',
      binding,
      () => ({ line: `GET ${binding}`, headers: [authorized(), 'Origin: https://evil.example'] }),
    ],
    [
      'a page that does not wait',
      binding,
      () => ({ line: `GET ${binding}`, headers: [authorized(), 'If-None-Match: "0"'] }),
    ],
    [
      'a page with an old version',
      binding,
      () => ({ line: `GET ${binding}`, headers: [authorized(), 'If-None-Match: "9"', 'Prefer: wait=25'] }),
    ],
    ['HEAD of a page', binding, () => ({ line: `HEAD ${binding}`, headers: [authorized(), `Origin: ${ORIGIN}`] })],
    [
      'a confirmation without a scan',
      '/widget/confirm',
      () => ({ line: 'POST /widget/confirm', headers: [authorized()], body: '{"code":"1234"}' }),
    ],
    [
      'a confirmation in chunks',
      '/widget/confirm',
      () => ({ line: 'POST /widget/confirm', headers: [authorized()], chunked: '{"code":"1234"}' }),
    ],
    [
      'a confirmation that is not JSON',
      '/widget/confirm',
      () => ({ line: 'POST /widget/confirm', headers: [authorized()], body: '{' }),
    ],
    [
      'a QR request over the limit',
      '/widget/qrcode',
      () => ({ line: 'POST /widget/qrcode', headers: [authorized(), `Origin: ${ORIGIN}`], body: 'x'.repeat(5_000) }),
    ],
    [
      'a QR request over the limit, in chunks',
      '/widget/qrcode',
      () => ({ line: 'POST /widget/qrcode', headers: [authorized()], chunked: 'x'.repeat(5_000) }),
    ],
    ['an unbinding', binding, () => ({ line: `DELETE ${binding}`, headers: [authorized()] })],
  ])('answer %s with the same bytes, log and metrics', async (_, route, toRequest) => {
    passedOn = 0
    const expected = await observe(mounted, toRequest(), route)
    expect(await observe(direct, toRequest(), route)).toEqual(expected)
    expect(expected.status).toMatch(/^HTTP\/1\.1 \d{3} /)
    expect(expected.headers).toContain('x-request-id: given-by-the-proxy')
    expect(expected.counted).toBe(1)
    expect(passedOn).toBe(0)
  })

  test.each<[name: string, route: string, request: () => Request]>([
    ['a preflight', 'none', () => ({ line: `OPTIONS ${binding}`, headers: [`Origin: ${ORIGIN}`] })],
    ['another method', 'none', () => ({ line: 'GET /api/WeChat/GetBindInfo' })],
    ['another path', 'none', () => ({ line: 'POST /wechat/callbacks', body: 'x' })],
    ['an API call that does not exist', 'none', () => ({ line: 'POST /api/WeChat/GetUser', body: 'x' })],
    ['a widget call that does not exist', 'none', () => ({ line: 'POST /widget/nothing', headers: [authorized()] })],
    ['a probe', '/healthz', () => ({ line: 'GET /healthz' })],
    ['the root', 'none', () => ({ line: 'GET /' })],
  ])('answer %s, which Node leaves to the app, with the same bytes', async (_, route, toRequest) => {
    passedOn = 0
    const expected = await observe(mounted, toRequest(), route)
    expect(await observe(direct, toRequest(), route)).toEqual(expected)
    expect(passedOn).toBe(1)
  })

  test('answer an API call with the same headers', async () => {
    const call = async (jti: string): Promise<Request> => {
      const plaintext = { Account: 'acme', User_ID: 'u1', Date: testServer.time.clock() / 1000, Action: 'Get' }
      return { line: 'POST /api/WeChat/GetBindInfo', body: await sealEnvelope(plaintext, { kid: 'k1', jti }, KEY) }
    }
    const route = '/api/WeChat/GetBindInfo'
    const expected = await observe(mounted, await call('adapter-1'), route)
    const seen = await observe(direct, await call('adapter-2'), route)
    // The same plaintext is encrypted differently each time.
    expect({ ...seen, body: '' }).toEqual({ ...expected, body: '' })
    expect(expected.status).toBe('HTTP/1.1 200 OK')
  })

  async function untilWaiting(count: number): Promise<void> {
    while (testServer.deps.waiters.count() !== count) await new Promise(setImmediate)
  }

  test.each(['GET', 'HEAD'])('answer a waiting %s with the same bytes, and refuse a second wait', async (method) => {
    const waiting: Request = { line: `${method} ${binding}`, headers: [authorized(), `Origin: ${ORIGIN}`, ...POLL] }
    const facts: unknown[] = []
    for (const { url } of [mounted, direct]) {
      const from = testServer.log.lines.length
      const { closed } = open(url, waiting)
      await untilWaiting(1)
      const refused = toFacts(await open(url, waiting).closed)
      expect(refused.status).toBe('HTTP/1.1 503 Service Unavailable')
      testServer.time.advance(25_000)
      facts.push([refused, toFacts(await closed), logged(from)])
    }
    expect(facts[1]).toEqual(facts[0])
  })

  test.each<[name: string, hangUp: Request, status: number]>([
    ['a poll whose client disconnects', { line: `GET ${binding}`, headers: POLL }, 499],
    [
      'a callback whose client disconnects within the body',
      { line: `POST ${callback}`, headers: ['Content-Length: 9'] },
      403,
    ],
    [
      'an API call whose client disconnects within the body',
      { line: 'POST /api/WeChat/Disconnect', headers: ['Content-Length: 9'] },
      400,
    ],
    ['a QR request that disconnects in its body', { line: 'POST /widget/qrcode', headers: ['Content-Length: 9'] }, 400],
    ['a chunked call that disconnects', { line: 'POST /widget/confirm', headers: ['Transfer-Encoding: chunked'] }, 400],
  ])('log %s in the same way', async (_, { line, headers = [] }, status) => {
    const logs: object[][] = []
    for (const { server, url } of [mounted, direct]) {
      const from = testServer.log.lines.length
      const requested = new Promise((resolve) => server.once('request', resolve))
      const { socket } = open(url, { line, headers: [authorized(), ...headers] })
      await requested
      if (status === 499) await untilWaiting(1)
      socket.destroy()
      while (!logged(from).some((entry) => entry.status !== undefined)) await new Promise(setImmediate)
      logs.push(logged(from))
    }
    expect(logs[1]).toEqual(logs[0])
    expect(logs[0]?.at(-1)).toMatchObject({ status })
  })
})
