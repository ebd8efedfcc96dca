import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createApp } from '../../../server/app.ts'
import type { Problem } from '../../../server/wire.ts'
import { openTestServer, type TestServer } from '../../support/test-server.ts'

const OURS = /^[\da-f]{32}$/
const GIVEN = '6f1c5a3e9b0d4c7f8a2e1d0c9b8a7f6e'

let testServer: TestServer
beforeEach(async () => {
  testServer = await openTestServer()
})
afterEach(() => testServer.close())

const idOf = (response: Response) => response.headers.get('x-request-id') ?? ''

/** The log lines of one request. */
const linesOf = (id: string) =>
  testServer.log.lines.map((line) => JSON.parse(line)).filter(({ requestId }) => requestId === id)

describe('a request', () => {
  test('has the same id in the header, the refusal and the log', async () => {
    const response = await testServer.app.request('/widget/binding')
    const id = idOf(response)
    expect(id).toMatch(OURS)
    expect(await response.json()).toMatchObject({ code: 'UNAUTHORIZED', requestId: id } satisfies Partial<Problem>)
    expect(linesOf(id)).toEqual([
      expect.objectContaining({ method: 'GET', route: '/widget/binding', status: 401, code: 'UNAUTHORIZED' }),
    ])
  })

  test('has an id of its own', async () => {
    const [one, two] = await Promise.all([testServer.app.request('/healthz'), testServer.app.request('/healthz')])
    expect(idOf(one)).toMatch(OURS)
    expect(idOf(one)).not.toBe(idOf(two))
  })

  test('keeps a given id only behind a trusted proxy', async () => {
    const headers = { 'X-Request-Id': GIVEN }
    const trusting = createApp({ ...testServer.deps, trustProxy: true })
    expect(idOf(await trusting.request('/healthz', { headers }))).toBe(GIVEN)
    expect(idOf(await testServer.app.request('/healthz', { headers }))).toMatch(OURS)
  })

  test.each(['short', 'a'.repeat(129), 'with space and more', '{"level":60}', 'line\tbreak-and-more'])(
    'gets a new id instead of %j',
    async (id) => {
      const trusting = createApp({ ...testServer.deps, trustProxy: true })
      expect(idOf(await trusting.request('/healthz', { headers: { 'X-Request-Id': id } }))).toMatch(OURS)
    },
  )

  test('that fails is logged with its cause and the id of its answer', async () => {
    await testServer.deps.store.close()
    const response = await testServer.widget('GET', '/binding')
    expect(response.status).toBe(503)
    expect(linesOf(idOf(response))).toEqual([
      expect.objectContaining({ code: 'STORE_UNAVAILABLE', cause: expect.anything() }),
      expect.objectContaining({ code: 'STORE_UNAVAILABLE', status: 503 }),
    ])
    testServer = await openTestServer()
  })

  test('to the encrypted API or the callback has an id too', async () => {
    const sealed = await testServer.app.request('/api/WeChat/GetBindInfo', { method: 'POST', body: 'not a JWE' })
    expect(linesOf(idOf(sealed))).toEqual([expect.objectContaining({ route: '/api/WeChat/GetBindInfo', status: 401 })])
    const forged = await testServer.app.request('/wechat/callback', { method: 'POST', body: '<xml></xml>' })
    expect(linesOf(idOf(forged))).toEqual([
      expect.objectContaining({ code: 'CALLBACK_REFUSED', cause: expect.any(String) }),
      expect.objectContaining({ status: 403 }),
    ])
  })

  test('is logged with its route, without its path and query', async () => {
    await testServer.app.request('/nowhere/amy?ticket=hush')
    await testServer.app.request('/wechat/callback?signature=hush&timestamp=1&nonce=2&echostr=3&openid=oAmy')
    const log = testServer.log.lines.join('\n')
    expect(log).toContain('"route":"none"')
    expect(log).toContain('"route":"/wechat/callback"')
    for (const word of ['hush', 'amy', 'oAmy', 'nowhere']) expect(log).not.toContain(word)
  })

  test('whose page was closed is logged as 499, not as refused', async () => {
    const leaving = new AbortController()
    const poll = testServer.widget('GET', '/binding', {
      headers: { 'If-None-Match': '"0"', Prefer: 'wait=25' },
      signal: leaving.signal,
    })
    while (testServer.deps.waiters.count() === 0) await new Promise(setImmediate)
    leaving.abort()
    await poll
    expect(testServer.log.lines.map((line) => JSON.parse(line))).toEqual([
      expect.objectContaining({ route: '/widget/binding', status: 499, message: 'answered' }),
    ])
  })
})
