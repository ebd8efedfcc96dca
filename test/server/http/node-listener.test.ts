/** Endpoints on Node's own server, as `serve` runs them. `adapters.test.ts` compares their answers with those of the Hono app. */
import { once } from 'node:events'
import type { Server } from 'node:http'
import { connect } from 'node:net'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { openReply } from '../../../demo/simulator/reply.ts'
import { startListening, stopListening } from '../../../server/http/listen.ts'
import { openTestServer, type TestServer } from '../../support/test-server.ts'

let testServer: TestServer
let server: Server
let url: string
beforeEach(async () => {
  testServer = await openTestServer()
  const { app, intercept } = testServer
  ;({ server, url } = await startListening(app, '127.0.0.1', 0, { intercept }))
})
afterEach(async () => {
  await stopListening(server)
  await testServer.close()
})

describe('interceptEndpoints', () => {
  test('binds by a scan, encrypts the answer, and counts the request', async () => {
    const ticketUrl = await testServer.ticketUrl('u1')
    const qrcode = testServer.simulator.memory().qrcodes.find((each) => each.url === ticketUrl)
    const { path, body } = testServer.message({ MsgType: 'event', Event: 'SCAN', EventKey: qrcode?.scene ?? '' })
    const response = await fetch(url + path, { method: 'POST', body })
    expect(response.headers.get('X-Request-Id')).toMatch(/^[\da-f]{32}$/)
    const answer = { status: response.status, body: await response.text() }
    expect(openReply(testServer.simulator.account, 'oAmy', answer)).toMatchObject({ kind: 'text' })
    expect((await testServer.client.getBindInfo({ account: 'acme', userId: 'u1' })).IsBound).toBe(true)
    expect(await testServer.deps.metrics.render()).toMatch(
      /^wechat_bind_http_requests_total\{route="\/wechat\/callback",status="200"\} 1$/m,
    )
  })

  test('refuses a chunked body over the limit and closes the connection', async () => {
    const socket = connect(Number(new URL(url).port), '127.0.0.1').setEncoding('latin1')
    let said = ''
    socket.on('data', (text) => {
      said += text
    })
    socket.write('POST /wechat/callback HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n')
    for (let i = 0; i < 5; i++) socket.write(`4000\r\n${'x'.repeat(0x4000)}\r\n`)
    await once(socket, 'close')
    expect(said).toMatch(/^HTTP\/1\.1 403 /)
    expect(said).toMatch(/\r\nConnection: close\r\n/)
  })

  test('still answers after a sender has disconnected in the middle of a body', async () => {
    const refused = Promise.withResolvers<void>()
    const { warn } = testServer.deps.log
    testServer.deps.log.warn = (fields, message) => {
      warn(fields, message)
      refused.resolve()
    }
    const { app, intercept } = testServer
    const listening = await startListening(app, '127.0.0.1', 0, { intercept })
    const socket = connect(Number(new URL(listening.url).port), '127.0.0.1')
    socket.write('POST /wechat/callback HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n<xml>', () =>
      socket.destroy(),
    )
    await refused.promise
    const { path, body } = testServer.message({ MsgType: 'text', Content: 'hello', MsgId: '1' })
    expect((await fetch(listening.url + path, { method: 'POST', body })).status).toBe(200)
    await stopListening(listening.server)
  })

  test.each([
    ['a dot segment', 'GET /widget/../widget/binding', 404],
    ['an encoded letter', 'GET /widget/bindin%67', 404],
    ['an absolute target', 'GET http://x/widget/binding', 401],
    ['an absolute target with a dot segment', 'GET http://x/widget/../widget/binding', 404],
  ])('answers %s (%s) with %i', async (_, line, status) => {
    const socket = connect(Number(new URL(url).port), '127.0.0.1').setEncoding('latin1')
    let said = ''
    socket.on('data', (text) => {
      said += text
    })
    socket.write(`${line} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`)
    await once(socket, 'close')
    expect(said).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `))
  })
})
