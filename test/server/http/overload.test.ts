/** Overload: excess pages, connections and bytes are refused, and other requests are answered. */
import { once } from 'node:events'
import type { Server } from 'node:http'
import { connect, type Socket } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import type { Env } from '../../../server/config/config.ts'
import { type ListenOptions, startListening, stopListening } from '../../../server/http/listen.ts'
import { openTestServer, type TestServer } from '../../support/test-server.ts'

let testServer: TestServer
let server: Server
let url: string
const sockets: Socket[] = []

async function serve(env: Env = {}, options: ListenOptions = {}): Promise<void> {
  testServer = await openTestServer(env)
  ;({ server, url } = await startListening(testServer.app, '127.0.0.1', 0, {
    intercept: testServer.intercept,
    ...options,
  }))
}

afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy()
  testServer.stopWaiting()
  await stopListening(server)
  await testServer.close()
})

const client = () => testServer.clientOver(url)

async function poll(userId = 'u1', tenantOf: Pick<TestServer, 'client'> = testServer): Promise<Response> {
  const token = await tenantOf.client.mintToken({ account: 'acme', userId })
  const headers = { Authorization: `Bearer ${token}`, 'If-None-Match': '"0"', Prefer: 'wait=25' }
  return fetch(`${url}/widget/binding`, { headers })
}

async function untilWaiting(count: number): Promise<void> {
  while (testServer.deps.waiters.count() !== count) await new Promise(setImmediate)
}

/** Sends the text on a new socket. `answer`: everything received until the socket closes. */
async function send(text: string): Promise<{ socket: Socket; answer: Promise<string> }> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1').setEncoding('latin1')
  sockets.push(socket)
  socket.on('error', () => {})
  let said = ''
  socket.on('data', (more: string) => {
    said += more
  })
  // `once` is not used, because it rejects when the connection is reset.
  const answer = new Promise<string>((resolve) => socket.on('close', () => resolve(said)))
  await once(socket, 'connect')
  socket.write(text)
  return { socket, answer }
}

const statusOf = (answer: string) => Number(/^HTTP\/1\.1 (\d+)/.exec(answer)?.[1] ?? 0)

describe('waiting pages', () => {
  test.each([
    ['MAX_WAITERS_USER', 'This user has', ['u1', 'u1', 'u1']],
    ['MAX_WAITERS_TENANT', 'This tenant has', ['u1', 'u2', 'u3']],
    ['MAX_WAITERS', 'This server has', ['u1', 'u2', 'u3']],
  ])(
    'beyond %s are refused with Retry-After, and accepted when the wait of another page ends',
    async (name, whose, users) => {
      await serve({ [name]: '2' })
      const waiting = users.slice(0, 2).map((user) => poll(user))
      await untilWaiting(2)
      const refused = await poll(users[2])
      expect(refused.status).toBe(503)
      expect(refused.headers.get('Retry-After')).toBe('5')
      expect(refused.headers.get('Cache-Control')).toBe('no-store')
      expect(await refused.json()).toMatchObject({
        code: 'OVERLOADED',
        status: 503,
        detail: expect.stringContaining(whose),
      })

      testServer.time.advance(25_000)
      expect((await Promise.all(waiting)).map(({ status }) => status)).toEqual([304, 304])
      const next = poll(users[2])
      await untilWaiting(1)
      testServer.stopWaiting()
      expect((await next).status).toBe(304)
    },
  )

  test('do not block the callback, the encrypted API and the probes', async () => {
    await serve({ MAX_WAITERS: '1' })
    const waiting = poll()
    await untilWaiting(1)
    expect((await poll('u2')).status).toBe(503)
    expect(await client().getBindInfo({ account: 'acme', userId: 'u2' })).toMatchObject({ IsBound: false })
    expect((await fetch(`${url}/healthz`)).status).toBe(200)
    await testServer.phone('amy').scan(await testServer.ticketUrl())
    await testServer.phone('amy').follow()
    expect(await (await waiting).json()).toMatchObject({ state: 'bound', version: 1 })
  })

  test('are removed as soon as their clients disconnect', async () => {
    await serve({ MAX_WAITERS: '50' })
    const token = await testServer.client.mintToken({ account: 'acme', userId: 'u1' })
    const text = `GET /widget/binding HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${token}\r\nIf-None-Match: "0"\r\nPrefer: wait=25\r\n\r\n`
    const parked = await Promise.all(Array.from({ length: 20 }, () => send(text)))
    await untilWaiting(20)
    for (const { socket } of parked) socket.destroy()
    // The fake clock does not advance, so only the disconnects can end the waits.
    await untilWaiting(0)
    expect(testServer.time.pending()).toBe(0)
  })
})

describe('connections', () => {
  test('beyond MAX_CONNECTIONS are closed, and idle connections are closed so that new clients can connect', async () => {
    await serve({}, { maxConnections: 2 })
    const token = await testServer.client.mintToken({ account: 'acme', userId: 'u1' })
    const waiting = `GET /widget/binding HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${token}\r\nIf-None-Match: "0"\r\nPrefer: wait=25\r\n\r\n`
    await send(waiting)
    await untilWaiting(1)
    const idle = await send('GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n')
    await once(idle.socket, 'data')
    const refused = await send('GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n')
    expect(await refused.answer).toBe('')
    expect(statusOf(await idle.answer)).toBe(200)
    const served = await send('GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')
    expect(statusOf(await served.answer)).toBe(200)
    expect(testServer.deps.waiters.count()).toBe(1)
  })

  test.each([
    ['half of its headers', 'POST /wechat/callback HTTP/1.1\r\nHost: x\r\nX-Slow: '],
    ['half of its body', 'POST /wechat/callback HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n<xml>'],
    ['nothing at all', ''],
  ])('that have sent %s are closed after the timeout', async (_, text) => {
    await serve({}, { headersTimeout: 50, requestTimeout: 50, connectionsCheckingInterval: 10 })
    const { answer } = await send(text)
    expect([0, 408]).toContain(statusOf(await answer))
  })
})

describe('a request over the limit', () => {
  test('of the headers is refused by the parser', async () => {
    await serve()
    const { answer } = await send(`GET /healthz HTTP/1.1\r\nHost: x\r\nX-Long: ${'x'.repeat(20_000)}\r\n\r\n`)
    expect(statusOf(await answer)).toBe(431)
  })

  const token = () => testServer.client.mintToken({ account: 'acme', userId: 'u1' })
  test.each([
    ['/wechat/callback', 64, 403],
    ['/api/WeChat/GetBindInfo', 16, 413],
    ['/widget/qrcode', 4, 413],
    ['/widget/confirm', 4, 413],
  ])(
    'of the body of %s is refused with and without a declared length, and the connection is closed',
    async (path, kib, status) => {
      await serve()
      const head = `POST ${path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${await token()}\r\n`
      const size = kib * 1024 + 1
      const told = await send(`${head}Content-Length: ${size}\r\n\r\n${'x'.repeat(size)}`)
      expect(statusOf(await told.answer)).toBe(status)
      const chunked = await send(
        `${head}Transfer-Encoding: chunked\r\n\r\n${size.toString(16)}\r\n${'x'.repeat(size)}\r\n`,
      )
      expect(statusOf(await chunked.answer)).toBe(status)
    },
  )
})
