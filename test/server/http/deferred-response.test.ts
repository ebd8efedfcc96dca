/** A waiting page through both adapters: its answer, headers, log line and metrics. */
import type { Server } from 'node:http'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type ListenOptions, startListening, stopListening } from '../../../server/http/listen.ts'
import type { Store } from '../../../server/store/store.ts'
import { openTestServer, type TestServer } from '../../support/test-server.ts'

const ORIGIN = 'https://www.example.com'

let testServer: TestServer
let server: Server
let url: string
let isDown = false
/** Reads of the user wait for this promise. */
let gate: Promise<void> | undefined
let reads = 0

const failing = (store: Store): Store => ({
  ...store,
  async userVersion(identity) {
    reads++
    await gate
    if (isDown) throw new Error('down')
    return store.userVersion(identity)
  },
})

const adapters: [name: string, optionsOf: (testServer: TestServer) => ListenOptions][] = [
  ['mounted in Hono', () => ({})],
  ["on Node's server", ({ intercept }) => ({ intercept })],
]

describe.each(adapters)('a waiting page, %s,', (_, optionsOf) => {
  beforeEach(async () => {
    isDown = false
    gate = undefined
    reads = 0
    testServer = await openTestServer({ ALLOWED_ORIGINS: ORIGIN, TRUST_PROXY: 'true' }, { wrapStore: failing })
    ;({ server, url } = await startListening(testServer.app, '127.0.0.1', 0, optionsOf(testServer)))
  })
  afterEach(async () => {
    testServer.stopWaiting()
    await stopListening(server)
    await testServer.close()
  })

  /** Resolves once the poll waits. The promise of the answer is inside an object, so that `await` does not wait for it too. */
  async function park(hangUp?: AbortSignal): Promise<{ answered: Promise<Response> }> {
    const answered = await ask(hangUp)
    while (testServer.deps.waiters.count() !== 1) await new Promise(setImmediate)
    return answered
  }

  async function ask(hangUp?: AbortSignal): Promise<{ answered: Promise<Response> }> {
    const token = await testServer.client.mintToken({ account: 'acme', userId: 'u1' })
    const headers = {
      Authorization: `Bearer ${token}`,
      Origin: ORIGIN,
      'If-None-Match': '"0"',
      Prefer: 'wait=25',
      'X-Request-Id': 'given-by-the-proxy',
    }
    const answered = fetch(`${url}/widget/binding`, { headers, signal: hangUp ?? null })
    answered.catch(() => {})
    return { answered }
  }

  const headersOf = ({ headers }: Response) => ({
    'access-control-allow-origin': headers.get('Access-Control-Allow-Origin'),
    'cache-control': headers.get('Cache-Control'),
    vary: headers.get('Vary'),
    'x-content-type-options': headers.get('X-Content-Type-Options'),
    'x-request-id': headers.get('X-Request-Id'),
  })
  const common = {
    'access-control-allow-origin': ORIGIN,
    'cache-control': 'no-store',
    vary: 'Origin',
    'x-content-type-options': 'nosniff',
    'x-request-id': 'given-by-the-proxy',
  }

  /** Waits until the answer is counted. Returns the log lines of the route. */
  const counted = async (status: number) => {
    const line = `wechat_bind_http_requests_total{route="/widget/binding",status="${status}"} 1`
    while (!(await testServer.deps.metrics.render()).includes(line)) await new Promise(setImmediate)
    return testServer.log.lines.filter((text) => text.includes('/widget/binding')).map((text) => JSON.parse(text))
  }

  test('is answered when the version changes', async () => {
    const { answered } = await park()
    await testServer.phone('amy').scan(await testServer.ticketUrl())
    await testServer.phone('amy').follow()
    const response = await answered
    expect(response.status).toBe(200)
    expect(response.headers.get('ETag')).toBe('"1"')
    expect(headersOf(response)).toEqual(common)
    expect(await response.json()).toMatchObject({ state: 'bound', version: 1 })
    expect(await counted(200)).toMatchObject([{ requestId: 'given-by-the-proxy', status: 200 }])
  })

  test('is answered 304 when the time is over', async () => {
    const { answered } = await park()
    testServer.time.advance(25_000)
    const response = await answered
    expect(response.status).toBe(304)
    expect(response.headers.get('ETag')).toBe('"0"')
    expect(headersOf(response)).toEqual(common)
    expect(await counted(304)).toHaveLength(1)
  })

  test('is answered 500 when the store fails', async () => {
    const { answered } = await park()
    isDown = true
    testServer.deps.waiters.wake('missed')
    const response = await answered
    expect(response.status).toBe(500)
    expect(headersOf(response)).toEqual(common)
    expect(await response.json()).toMatchObject({ code: 'INTERNAL', requestId: 'given-by-the-proxy' })
    expect(await counted(500)).toMatchObject([{ status: 500, code: 'INTERNAL' }])
  })

  test('is counted as 499 when it disconnects', async () => {
    const hangUp = new AbortController()
    await park(hangUp.signal)
    hangUp.abort()
    expect(await counted(499)).toHaveLength(1)
    expect(testServer.deps.waiters.count()).toBe(0)
  })

  test('is counted as 499 when it disconnects during the read before the wait', async () => {
    const { promise, resolve } = Promise.withResolvers<void>()
    gate = promise
    const hangUp = new AbortController()
    const closed = new Promise((gone) => server.once('connection', (socket) => socket.once('close', gone)))
    await ask(hangUp.signal)
    while (reads < 1) await new Promise(setImmediate)
    hangUp.abort()
    await closed
    resolve()
    expect(await counted(499)).toHaveLength(1)
    expect(testServer.deps.waiters.count()).toBe(0)
  })

  test('is counted once, as 499, when it disconnects during the read after the wait', async () => {
    const { promise, resolve } = Promise.withResolvers<void>()
    const hangUp = new AbortController()
    const closed = new Promise((gone) => server.once('connection', (socket) => socket.once('close', gone)))
    await park(hangUp.signal)
    gate = promise
    testServer.deps.waiters.wake('missed')
    while (reads < 2) await new Promise(setImmediate)
    hangUp.abort()
    await closed
    resolve()
    expect(await counted(499)).toHaveLength(1)
    expect(testServer.deps.waiters.count()).toBe(0)
  })

  test('gets Vary: Origin even if its request has no Origin', async () => {
    const token = await testServer.client.mintToken({ account: 'acme', userId: 'u1' })
    const headers = { Authorization: `Bearer ${token}`, 'If-None-Match': '"0"', Prefer: 'wait=25' }
    const answered = fetch(`${url}/widget/binding`, { headers })
    while (testServer.deps.waiters.count() !== 1) await new Promise(setImmediate)
    testServer.time.advance(25_000)
    expect((await answered).headers.get('Vary')).toBe('Origin')
  })
})
