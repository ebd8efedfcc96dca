/** The callback and the encrypted API as `serve` answers them, past Hono: the same as through the app that teams mount. */
import { once } from 'node:events'
import type { Server } from 'node:http'
import { connect } from 'node:net'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { sealMessage } from '../../../demo/simulator/message.ts'
import { openReply } from '../../../demo/simulator/reply.ts'
import { overSockets, startListening, stopListening } from '../../../server/http/listen.ts'
import { endpointListener } from '../../../server/http/node-listener.ts'
import { createEncryptedApi } from '../../../server/routes/encrypted-api.ts'
import { createCallback } from '../../../server/routes/wechat-callback.ts'
import { openTestServer, type TestServer } from '../../support/test-server.ts'

let testServer: TestServer
let server: Server
let url: string
beforeEach(async () => {
  testServer = await openTestServer()
  const intercept = endpointListener(
    [createCallback(testServer.deps), ...createEncryptedApi(testServer.deps)],
    testServer.deps,
  )
  ;({ server, url } = await startListening(overSockets(testServer.app), '127.0.0.1', 0, { intercept }))
})
afterEach(async () => {
  await stopListening(server)
  await testServer.close()
})

function seal(more: Record<string, string>) {
  const now = testServer.time.clock()
  const fields = {
    ToUserName: testServer.simulator.account.originalId,
    FromUserName: 'oAmy',
    CreateTime: now / 1000,
    ...more,
  }
  const { query, body } = sealMessage(testServer.simulator.account, fields as never, now, (size) =>
    Buffer.alloc(size, 7),
  )
  return { path: `/wechat/callback?${new URLSearchParams(query)}`, body }
}

const chat = () => seal({ MsgType: 'text', Content: 'hello', MsgId: '1' })

/** What there is to see of an answer, but for its id. */
async function toFacts(response: Response) {
  const headers = Object.fromEntries(response.headers)
  for (const name of ['x-request-id', 'date', 'connection', 'keep-alive', 'content-length', 'transfer-encoding']) {
    delete headers[name]
  }
  return { status: response.status, headers, body: await response.text() }
}

describe('endpointListener', () => {
  test.each<[string, () => [path: string, init: RequestInit]]>([
    ['a message that is not ours', () => [chat().path, { method: 'POST', body: chat().body }]],
    ['a forged one', () => [chat().path.replace('msg_signature=', 'msg_signature=0'), { method: 'POST', body: 'x' }]],
    ['one without a query', () => ['/wechat/callback', { method: 'POST', body: chat().body }]],
    ['a name that is a prototype', () => [`${chat().path}&__proto__=1`, { method: 'POST', body: chat().body }]],
    ['a broken escape', () => ['/wechat/callback?signature=%E0%A4%A', { method: 'POST', body: '' }]],
    ['a body that is too large', () => [chat().path, { method: 'POST', body: 'x'.repeat(70_000) }]],
    ['another method', () => ['/wechat/callback?echostr=1', { method: 'GET' }]],
    ['another path', () => ['/wechat/callbacks', { method: 'POST', body: 'x' }]],
    ['a call that is no envelope', () => ['/api/WeChat/GetBindInfo', { method: 'POST', body: 'x' }]],
    ['a call without a body', () => ['/api/WeChat/Disconnect', { method: 'POST' }]],
    ['a call that is too large', () => ['/api/WeChat/GetQrCode', { method: 'POST', body: 'x'.repeat(17_000) }]],
    ['a call by another method', () => ['/api/WeChat/GetBindInfo', { method: 'GET' }]],
    ['a call that there is not', () => ['/api/WeChat/GetUser', { method: 'POST', body: 'x' }]],
  ])('answers %s as the mounted app does', async (_, toRequest) => {
    const [path, init] = toRequest()
    const [alone, mounted] = await Promise.all([fetch(url + path, init), testServer.app.request(path, init)])
    const [seen, expected] = [await toFacts(alone), await toFacts(mounted)]
    // A problem names its request.
    const withoutId = (text: string) => text.replace(/"requestId":"[^"]*"/, '')
    expect({ ...seen, body: withoutId(seen.body) }).toEqual({ ...expected, body: withoutId(expected.body) })
    expect(alone.headers.get('X-Request-Id')).toMatch(/^[\da-f]{32}$/)
  })

  test('binds by a scan, answers sealed, and counts the request', async () => {
    const ticketUrl = await testServer.ticketUrl('u1')
    const qrcode = testServer.simulator.memory().qrcodes.find((each) => each.url === ticketUrl)
    const { path, body } = seal({ MsgType: 'event', Event: 'SCAN', EventKey: qrcode?.scene ?? '' })
    const response = await fetch(url + path, { method: 'POST', body })
    const answer = { status: response.status, body: await response.text() }
    expect(openReply(testServer.simulator.account, 'oAmy', answer)).toMatchObject({ kind: 'text' })
    expect((await testServer.client.getBindInfo({ account: 'acme', userId: 'u1' })).IsBound).toBe(true)
    expect(await testServer.deps.metrics.render()).toMatch(
      /^wechat_bind_http_requests_total\{route="\/wechat\/callback",status="200"\} 1$/m,
    )
  })

  test('refuses what is too large in chunks, and closes the connection', async () => {
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

  test('goes on after a sender that hangs up in the middle of a body', async () => {
    const refused = Promise.withResolvers<void>()
    const { warn } = testServer.deps.log
    testServer.deps.log.warn = (fields, message) => {
      warn(fields, message)
      refused.resolve()
    }
    const intercept = endpointListener(
      [createCallback(testServer.deps), ...createEncryptedApi(testServer.deps)],
      testServer.deps,
    )
    const listening = await startListening(overSockets(testServer.app), '127.0.0.1', 0, { intercept })
    const socket = connect(Number(new URL(listening.url).port), '127.0.0.1')
    socket.write('POST /wechat/callback HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n<xml>', () =>
      socket.destroy(),
    )
    await refused.promise
    const { path, body } = chat()
    expect((await fetch(listening.url + path, { method: 'POST', body })).status).toBe(200)
    await stopListening(listening.server)
  })
})
