/** A page that waits is answered past the middlewares, and hears, is counted and is logged as if it were not. */
import type { Server } from 'node:http'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Fetching } from '../../../server/http/listen.ts'
import { overSockets, startListening, stopListening } from '../../../server/http/listen.ts'
import type { Store } from '../../../server/store/store.ts'
import { openTestServer, type TestServer } from '../../support/test-server.ts'

const ORIGIN = 'https://www.example.com'

let testServer: TestServer
let server: Server
let url: string
let isDown = false
/** What a look into the store waits for. */
let gate: Promise<void> | undefined
let looks = 0

const failing = (store: Store): Store => ({
  ...store,
  async user(identity) {
    looks++
    await gate
    if (isDown) throw new Error('down')
    return store.user(identity)
  },
})

/** Both ways to the same answer: the handler's promise where the app is mounted, the socket where it is served alone. */
const ways: [name: string, way: (testServer: TestServer) => Fetching][] = [
  ['mounted', ({ app }) => app],
  ['served alone', ({ app }) => overSockets(app)],
]

describe.each(ways)('a waiting page of an app that is %s', (_, way) => {
  beforeEach(async () => {
    isDown = false
    gate = undefined
    looks = 0
    testServer = await openTestServer({ ALLOWED_ORIGINS: ORIGIN, TRUST_PROXY: 'true' }, { wrapStore: failing })
    ;({ server, url } = await startListening(way(testServer), '127.0.0.1', 0))
  })
  afterEach(async () => {
    testServer.stopWaiting()
    await stopListening(server)
    await testServer.close()
  })

  /** A poll that waits already; the promise stands in an object, so that it is not waited for. */
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

  const counted = async (status: number) => {
    const line = `wechat_bind_http_requests_total{route="/widget/binding",status="${status}"} 1`
    while (!(await testServer.deps.metrics.render()).includes(line)) await new Promise(setImmediate)
    return testServer.log.lines.filter((text) => text.includes('/widget/binding')).map((text) => JSON.parse(text))
  }

  test('hears of the change', async () => {
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

  test('hears that nothing has changed', async () => {
    const { answered } = await park()
    testServer.time.advance(25_000)
    const response = await answered
    expect(response.status).toBe(304)
    expect(response.headers.get('ETag')).toBe('"0"')
    expect(headersOf(response)).toEqual(common)
    expect(await counted(304)).toHaveLength(1)
  })

  test('hears of a store that fails when it looks again', async () => {
    const { answered } = await park()
    isDown = true
    testServer.deps.waiters.wake('missed')
    const response = await answered
    expect(response.status).toBe(500)
    expect(headersOf(response)).toEqual(common)
    expect(await response.json()).toMatchObject({ code: 'INTERNAL', requestId: 'given-by-the-proxy' })
    expect(await counted(500)).toMatchObject([{ status: 500, code: 'INTERNAL' }])
  })

  test('is counted as gone when it hangs up', async () => {
    const hangUp = new AbortController()
    await park(hangUp.signal)
    hangUp.abort()
    expect(await counted(499)).toHaveLength(1)
    expect(testServer.deps.waiters.count()).toBe(0)
  })

  test('is counted as gone when it hangs up while the store is asked', async () => {
    const { promise, resolve } = Promise.withResolvers<void>()
    gate = promise
    const hangUp = new AbortController()
    const closed = new Promise((gone) => server.once('connection', (socket) => socket.once('close', gone)))
    await ask(hangUp.signal)
    while (looks < 1) await new Promise(setImmediate)
    hangUp.abort()
    await closed
    resolve()
    expect(await counted(499)).toHaveLength(1)
    expect(testServer.deps.waiters.count()).toBe(0)
  })

  test('tells caches that its answer depends on the origin, also where there is none', async () => {
    const token = await testServer.client.mintToken({ account: 'acme', userId: 'u1' })
    const headers = { Authorization: `Bearer ${token}`, 'If-None-Match': '"0"', Prefer: 'wait=25' }
    const answered = fetch(`${url}/widget/binding`, { headers })
    while (testServer.deps.waiters.count() !== 1) await new Promise(setImmediate)
    testServer.time.advance(25_000)
    expect((await answered).headers.get('Vary')).toBe('Origin')
  })
})
