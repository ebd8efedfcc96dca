/** Request targets that a proxy and this server could interpret differently are refused by every adapter. */
import { createServer, type Server } from 'node:http'
import { connect } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { mountInExpress } from '../../../server/examples/express.ts'
import { mountInHono } from '../../../server/examples/hono.ts'
import { mountInNode } from '../../../server/examples/node.ts'
import { startListening, stopListening } from '../../../server/http/listen.ts'
import { isPlainTarget } from '../../../server/http/request-target.ts'
import { openTestServer, type TestServer } from '../../support/test-server.ts'

const plain = [
  '/',
  '/metrics',
  '/metrics?a=%2f..//\\',
  '/widget/binding',
  '/widget/binding/',
  '/wechat-bind.js',
  '/MP_verify_aB3.txt',
  '/.well-known/x',
  '/a..b/..c/d..',
  'http://x/metrics',
  'HTTPS://bind.example:4000/widget/qrcode?x',
  'http://[::1]:4000/',
  'http://x',
]

const unusual = [
  '/widget/../metrics',
  '/widget/x%2fy/../../metrics',
  '/widget/x%2Fy/../../metrics',
  '/widget/%2e%2e/metrics',
  '/widget/.%2e/metrics',
  '/widget/./../metrics',
  '/widget/..',
  '/widget/.',
  '/./metrics',
  '/../metrics',
  '//metrics',
  '//x/metrics',
  '///metrics',
  '/widget//../metrics',
  '/widget\\..\\metrics',
  '/widget/..\\metrics',
  '\\metrics',
  '/metric%73',
  '/%6detrics',
  '/metrics%00',
  '/metrics%3f',
  '/metrics;a',
  '/widget/..;/metrics',
  '/metrics#',
  '/widget#/../../metrics',
  '/metrics\u00e9',
  'http://x/widget/../metrics',
  'http://x//metrics',
  'http://x\\metrics',
  'http://x%2f/metrics',
  'http://a@x/metrics',
  'ftp://x/metrics',
  'http:/metrics',
  'metrics',
  '*',
  '',
]

describe('isPlainTarget', () => {
  test.each(plain)('accepts %s', (target) => expect(isPlainTarget(target)).toBe(true))
  test.each(unusual)('refuses %s', (target) => expect(isPlainTarget(target)).toBe(false))

  test('takes linear time', () => {
    const before = process.cpuUsage()
    for (const path of ['/a'.repeat(500_000), '/.'.repeat(500_000), `${'/a.'.repeat(300_000)}%`]) isPlainTarget(path)
    expect(process.cpuUsage(before).user).toBeLessThan(1_000_000)
  })
})

type Listening = { server: Server; url: string }

const listen = (server: Server): Promise<Listening> =>
  new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      resolve({ server, url: `http://127.0.0.1:${(server.address() as { port: number }).port}` })
    })
  })

const ways: [name: string, start: (testServer: TestServer) => Promise<Listening>][] = [
  ['serve', ({ app, intercept }) => startListening(app, '127.0.0.1', 0, { intercept })],
  ['the app on Node', ({ app }) => startListening(app, '127.0.0.1', 0)],
  ['mountInHono', (testServer) => startListening(mountInHono(testServer), '127.0.0.1', 0)],
  ['mountInExpress', (testServer) => listen(createServer(mountInExpress(testServer)))],
  ['mountInNode', (testServer) => listen(mountInNode(testServer))],
]

describe.each(ways)('%s', (name, start) => {
  let testServer: TestServer
  let listening: Listening
  beforeAll(async () => {
    testServer = await openTestServer()
    listening = await start(testServer)
  })
  afterAll(async () => {
    await stopListening(listening.server)
    await testServer.close()
  })

  /** The whole answer to a request with this target. Client libraries would change the target, so the request is written to a socket. */
  function ask(target: string, host = 'x'): Promise<string> {
    const socket = connect(Number(new URL(listening.url).port), '127.0.0.1').setEncoding('latin1')
    let said = ''
    socket.on('data', (text: string) => {
      said += text
    })
    socket.on('error', () => {})
    const closed = new Promise<string>((resolve) => socket.on('close', () => resolve(said)))
    socket.write(`GET ${target} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`, 'latin1')
    return closed
  }

  test('answers no unusual target with metrics, probes or the description', async () => {
    const inside = ['/metrics', '/healthz', '/readyz', '/openapi.json']
    for (const target of unusual) {
      for (const path of inside) {
        const asked = target.replace('/metrics', path)
        const said = await ask(asked)
        expect([asked, said]).not.toEqual([asked, expect.stringMatching(/wechat_bind_|"status":"ok"|"openapi"/)])
      }
    }
  })

  test('refuses unusual targets below its own paths too', async () => {
    for (const target of ['/widget/./binding', '/widget/bindin%67', '/wechat/./callback', '/api/WeChat//GetBindInfo']) {
      const said = await ask(target)
      expect([target, said]).toEqual([target, expect.stringMatching(/^HTTP\/1\.1 (404|200 OK[\s\S]*your own page$)/)])
      expect(said).not.toContain('UNAUTHORIZED')
    }
  })

  test('answers its own paths', async () => {
    expect(await ask('/widget/binding?a=%2f..//')).toMatch(/^HTTP\/1\.1 401 /)
    expect(await ask(`${listening.url}/widget/binding`)).toMatch(
      name === 'mountInNode' ? /your own page/ : /^HTTP\/1\.1 401 /,
    )
  })
})

describe('the app on another runtime', () => {
  test('refuses targets that are still unusual in a normalized URL', async () => {
    const testServer = await openTestServer()
    for (const path of ['/metric%73', '/widget/x%2fy/binding', '//metrics', '/widget/%252e%252e/metrics']) {
      const response = await testServer.app.fetch(new Request(`http://bind.test${path}`))
      expect([path, response.status]).toEqual([path, 404])
      expect(await response.json()).toMatchObject({ code: 'NOT_FOUND' })
    }
    expect(testServer.log.lines.filter((line) => line.includes('"route":"/'))).toEqual([])
    await testServer.close()
  })

  test('does not refuse paths of the server in which it is mounted', async () => {
    const testServer = await openTestServer()
    const { Hono } = await import('hono')
    const host = new Hono().route('/', testServer.app).get('/files/:name', (c) => c.text(c.req.param('name')))
    expect(await (await host.request('/files/a%20b')).text()).toBe('a b')
    expect((await host.request('/metric%73')).status).toBe(404)
    await testServer.close()
  })
})
