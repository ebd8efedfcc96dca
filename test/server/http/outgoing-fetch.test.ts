import { once } from 'node:events'
import type { IncomingHttpHeaders } from 'node:http'
import { createServer, type Server } from 'node:http'
import { type AddressInfo, createServer as createTcpServer, type Socket } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { USER_AGENT } from '../../../server/config/version.ts'
import { createOutgoingFetch, withUserAgent } from '../../../server/http/outgoing-fetch.ts'

type Received = { method: string; url: string; headers: IncomingHttpHeaders; body: string; port: number }

let server: Server
let url: string
const received: Received[] = []
const fetch = withUserAgent(createOutgoingFetch(), USER_AGENT)

beforeAll(async () => {
  server = createServer(async (request, response) => {
    let body = ''
    for await (const chunk of request) body += chunk
    const { method = '', url = '', headers } = request
    received.push({ method, url, headers, body, port: request.socket.remotePort ?? 0 })
    if (url === '/hang') return
    if (url === '/moved') return response.writeHead(302, { Location: '/' }).end()
    if (url === '/none') return response.writeHead(204).end()
    if (url === '/cut') return response.write('half', () => response.destroy())
    response.writeHead(url === '/fault' ? 502 : 200, { 'X-Answer': 'yes' }).end('answer')
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
afterAll(() => {
  server.closeAllConnections()
  server.close()
})

describe('createOutgoingFetch', () => {
  test('names this server, and sends no header of a browser', async () => {
    const response = await fetch(`${url}/path?a=1`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: '{"a":"微"}',
    })
    expect([response.status, response.headers.get('X-Answer'), await response.text()]).toEqual([200, 'yes', 'answer'])
    const { method, url: path, headers, body } = received.at(-1)!
    expect([method, path, body]).toEqual(['POST', '/path?a=1', '{"a":"微"}'])
    expect(headers['user-agent']).toMatch(/^wechat-bind\/\d+\.\d+\.\d+/)
    expect(Object.keys(headers).sort()).toEqual([
      'accept',
      'connection',
      'content-length',
      'content-type',
      'host',
      'user-agent',
    ])
  })

  test('sends bytes, reuses the connection, and returns any status', async () => {
    const bytes = Uint8Array.from([0, 1, 2, 255])
    await (await fetch(url, { method: 'POST', body: bytes })).text()
    const { port } = received.at(-1)!
    expect((await fetch(`${url}/fault`)).status).toBe(502)
    expect(received.at(-1)?.port).toBe(port)
    expect((await fetch(`${url}/none`)).body).toBeNull()
  })

  test('follows no redirect: a redirect is an answer, or an error with `redirect: error`', async () => {
    expect((await fetch(`${url}/moved`, { redirect: 'manual' })).status).toBe(302)
    await expect(fetch(`${url}/moved`, { redirect: 'error' })).rejects.toThrow('fetch failed')
  })

  test('rejects with the reason of the signal, before the request and during it', async () => {
    await expect(fetch(`${url}/hang`, { signal: AbortSignal.timeout(20) })).rejects.toMatchObject({
      name: 'TimeoutError',
    })
    await expect(fetch(url, { signal: AbortSignal.abort(new Error('gone')) })).rejects.toThrow('gone')
  })

  test('rejects like fetch when the port is closed, with the code in the cause', async () => {
    const closed = createServer().listen(0, '127.0.0.1')
    await once(closed, 'listening')
    const { port } = closed.address() as AddressInfo
    closed.close()
    await expect(fetch(`http://127.0.0.1:${port}`)).rejects.toMatchObject({
      message: 'fetch failed',
      cause: { code: 'ECONNREFUSED' },
    })
  })

  test('rejects the read of an incomplete answer', async () => {
    const response = await fetch(`${url}/cut`)
    await expect(response.text()).rejects.toThrow()
  })

  test.each([
    ['a status that no standard has', 'HTTP/1.1 999 Odd\r\nContent-Length: 0\r\n\r\n'],
    ['something other than HTTP', 'SSH-2.0-server\r\n'],
  ])('rejects %s', async (_, answer) => {
    const sockets: Socket[] = []
    const odd = createTcpServer((socket) => {
      sockets.push(socket)
      socket.on('error', () => {}).end(answer)
    }).listen(0, '127.0.0.1')
    await once(odd, 'listening')
    await expect(fetch(`http://127.0.0.1:${(odd.address() as AddressInfo).port}`)).rejects.toThrow('fetch failed')
    for (const socket of sockets) socket.destroy()
    odd.close()
  })
})
