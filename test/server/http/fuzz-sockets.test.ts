/** Sends random bytes that are almost HTTP, from a fixed seed. The server refuses or closes each connection, and keeps answering. */
import type { Server } from 'node:http'
import { connect } from 'node:net'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startListening, stopListening } from '../../../server/http/listen.ts'
import { openTestServer, type TestServer } from '../../support/test-server.ts'

const SEED = 20260116

let testServer: TestServer
let server: Server
let url: string
let token: string
beforeAll(async () => {
  testServer = await openTestServer()
  token = await testServer.client.mintToken({ account: 'acme', userId: 'u1' })
  const { app, intercept } = testServer
  const limits = { headersTimeout: 100, requestTimeout: 100, connectionsCheckingInterval: 20, keepAliveTimeout: 50 }
  ;({ server, url } = await startListening(app, '127.0.0.1', 0, { intercept, ...limits }))
})
afterAll(async () => {
  await stopListening(server)
  await testServer.close()
})

/** Runs in parallel, because most connections end by a timeout. */
async function expectNo5xxFor<T>(each: fc.Arbitrary<T>, numRuns: number, toBytes: (value: T) => Uint8Array | string) {
  await Promise.all(
    fc.sample(each, { seed: SEED, numRuns }).map(async (value) => {
      const said = await send(toBytes(value))
      expect(Math.max(0, ...statusesOf(said)), JSON.stringify(value)).toBeLessThan(500)
    }),
  )
}

/** Everything received until the server closes the connection. */
async function send(bytes: Uint8Array | string): Promise<string> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1').setEncoding('latin1')
  socket.on('error', () => {})
  let said = ''
  socket.on('data', (text: string) => {
    said += text
  })
  // `once` is not used, because it rejects when the connection is reset.
  const closed = new Promise((resolve) => socket.on('close', resolve))
  socket.write(bytes)
  await closed
  return said
}

const statusesOf = (said: string) => [...said.matchAll(/^HTTP\/1\.1 (\d+)/gm)].map(([, status]) => Number(status))

const line = fc.string({ unit: 'binary', maxLength: 60 })
const latin = fc.string({ maxLength: 200 }).map((text) => text.replace(/[\r\n]/g, ' '))
const path = fc.constantFrom(
  '/wechat/callback',
  '/widget/binding',
  '/widget/qrcode',
  '/api/WeChat/GetQrCode',
  '/',
  '*',
  '//x',
)

describe('a socket', () => {
  test('with random bytes ends without a 5xx', async () => {
    await expectNo5xxFor(fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 3 }), 200, Buffer.concat)
  })

  test('with random headers, targets and lengths ends without a 5xx', async () => {
    const name = fc.constantFrom(
      'Host',
      'Authorization',
      'Prefer',
      'If-None-Match',
      'Origin',
      'Content-Length',
      'Transfer-Encoding',
      'X-Request-Id',
      'Accept-Language',
      'Content-Type',
      'Expect',
      'Upgrade',
      'Connection',
    )
    const value = fc.oneof(
      latin,
      fc.constantFrom(
        'chunked',
        '0',
        '-1',
        '99999999999999999999',
        'a.b:c',
        '[::1',
        'Bearer ',
        'wait=0',
        '"0"',
        'websocket',
        '100-continue',
      ),
    )
    const method = fc.constantFrom(
      'GET',
      'POST',
      'DELETE',
      'PUT',
      'HEAD',
      'OPTIONS',
      'TRACE',
      'CONNECT',
      'PATCH',
      'get',
    )
    const requests = fc.tuple(method, path, latin, fc.array(fc.tuple(name, value), { maxLength: 6 }), line)
    await expectNo5xxFor(requests, 400, ([verb, target, query, headers, body]) => {
      const own = [
        `${verb} ${target}?${query.replaceAll(' ', '+')} HTTP/1.1`,
        'Host: x',
        `Authorization: Bearer ${token}`,
      ]
      return [...own, ...headers.map(([header, text]) => `${header}: ${text}`), '', body].join('\r\n')
    })
  })

  test('leaves the server able to answer, and leaves no waiting page', async () => {
    expect((await fetch(`${url}/healthz`)).status).toBe(200)
    expect(testServer.deps.waiters.count()).toBe(0)
    expect(testServer.log.lines.filter((text) => text.includes('INTERNAL'))).toEqual([])
  })
})
