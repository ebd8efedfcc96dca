import { once } from 'node:events'
import { createServer, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { getRequestListener } from '@hono/node-server'
import { Module } from '@nestjs/common'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { mountInExpress } from '../../../server/examples/express.ts'
import { mountBehindParsers } from '../../../server/examples/express-parsed.ts'
import { mountUnderPrefix } from '../../../server/examples/express-router.ts'
import { mountInFastify } from '../../../server/examples/fastify.ts'
import { besideYourOwn } from '../../../server/examples/fetch-handler.ts'
import { mountInHono } from '../../../server/examples/hono.ts'
import { mountInNest } from '../../../server/examples/nest.ts'
import { mountInNode } from '../../../server/examples/node.ts'
import { startListening, stopListening } from '../../../server/http/listen.ts'
import { openTestServer, type TestServer } from '../../support/test-server.ts'

let testServer: TestServer
let server: Server
beforeEach(async () => {
  testServer = await openTestServer()
})
afterEach(async () => {
  server.closeAllConnections()
  await stopListening(server)
  await testServer.close()
})

async function listen(made: Server): Promise<string> {
  server = made.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

const mounts: [name: string, mount: () => Promise<string>][] = [
  [
    'mountInHono',
    async () => {
      const started = await startListening(mountInHono(testServer), '127.0.0.1', 0)
      server = started.server
      return started.url
    },
  ],
  ['mountInExpress', () => listen(createServer(mountInExpress(testServer)))],
  ['mountBehindParsers', () => listen(createServer(mountBehindParsers(testServer)))],
  ['mountUnderPrefix', async () => `${await listen(createServer(mountUnderPrefix(testServer)))}/bind`],
  ['mountInNode', () => listen(mountInNode(testServer))],
  [
    'mountInFastify',
    async () => {
      const fastify = mountInFastify(testServer)
      await fastify.ready()
      return listen(fastify.server)
    },
  ],
  [
    'mountInNest',
    async () => {
      class AppModule {}
      Module({})(AppModule)
      const nest = await mountInNest(testServer, AppModule)
      nest.getHttpAdapter().get('/', (_: unknown, response: ServerResponse) => void response.end('your own page'))
      await nest.init()
      return listen(nest.getHttpServer())
    },
  ],
  [
    'besideYourOwn',
    async () => {
      const fetch = besideYourOwn(testServer, () => new Response('your own page'))
      return listen(createServer(getRequestListener(fetch)))
    },
  ],
  [
    // Next passes a `Request` to the function that the method names, and chooses the file by the path.
    'the route handlers of Next',
    async () => {
      Object.assign(globalThis, { bind: testServer })
      const handlers = await import('../../../server/examples/next.ts')
      const fetch = (request: Request) =>
        new URL(request.url).pathname === '/'
          ? new Response('your own page')
          : handlers[request.method as keyof typeof handlers](request)
      return listen(createServer(getRequestListener(fetch)))
    },
  ],
]

/** Sends every kind of request through real sockets, because a body parser or a wrong path in the host server would break it. */
describe.each(mounts)('%s', (_, mount) => {
  test('binds, answers the page and the back end, and still serves the host’s own page', async () => {
    const url = await mount()
    testServer.simulator.setCallbackUrl(`${url}/wechat/callback`)
    expect(await testServer.simulator.verifyCallbackUrl()).toBeUndefined()
    const client = testServer.clientOver(url)
    const subject = { account: 'acme', userId: 'u1' }
    await testServer.phone('amy').scan((await client.getQrCode(subject)).Url)
    expect(await testServer.phone('amy').follow()).toMatchObject({ kind: 'text' })
    const headers = { Authorization: `Bearer ${await client.mintToken(subject)}`, 'Content-Type': 'application/json' }
    const page = (method: string, path: string, body?: string) =>
      fetch(`${url}/widget${path}`, { method, headers, ...(body === undefined ? {} : { body }) })
    expect(await (await page('GET', '/binding')).json()).toMatchObject({ state: 'bound' })
    expect((await page('POST', '/qrcode', '{"refresh":false}')).status).toBe(200)
    expect((await page('DELETE', '/binding')).status).toBe(200)
    expect((await client.getBindInfo(subject)).IsBound).toBe(false)
    expect(await (await fetch(new URL('/', url))).text()).toBe('your own page')
  })

  test('answers a long poll after a bind, and ends the poll of a closed page', async () => {
    const url = await mount()
    const token = await testServer.client.mintToken({ account: 'acme', userId: 'u1' })
    const closing = new AbortController()
    const poll = (signal: AbortSignal | null) =>
      fetch(`${url}/widget/binding`, {
        headers: { Authorization: `Bearer ${token}`, 'If-None-Match': '"0"', Prefer: 'wait=25' },
        signal,
      })
    const [stays, leaves] = [poll(null), poll(closing.signal)]
    const waiters = async (count: number) => {
      while (testServer.deps.waiters.count() !== count) await new Promise(setImmediate)
    }
    await waiters(2)
    closing.abort()
    await expect(leaves).rejects.toThrow()
    await waiters(1)
    await testServer.phone('amy').scan(await testServer.ticketUrl())
    await testServer.phone('amy').follow()
    expect(await (await stays).json()).toMatchObject({ state: 'bound' })
  })
})
