import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { mountInExpress } from '../../../server/examples/express.ts'
import { mountInHono } from '../../../server/examples/hono.ts'
import { mountInNode } from '../../../server/examples/node.ts'
import { startListening, stopListening } from '../../../server/http/listen.ts'
import { openTestServer, type TestServer } from '../../support/test-server.ts'

let testServer: TestServer
let server: Server
beforeEach(async () => {
  testServer = await openTestServer()
})
afterEach(async () => {
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
  ['mountInNode', () => listen(mountInNode(testServer))],
]

/** Sends a callback and a poll through real sockets, because a body parser or a wrong path of the host server would break them. */
describe.each(mounts)('%s', (_, mount) => {
  test('binds through the callback, and still serves the host’s own page', async () => {
    const url = await mount()
    testServer.simulator.setCallbackUrl(`${url}/wechat/callback`)
    const qr = await testServer.ticketUrl()
    await testServer.phone('amy').scan(qr)
    expect(await testServer.phone('amy').follow()).toMatchObject({ kind: 'text' })
    const token = await testServer.client.mintToken({ account: 'acme', userId: 'u1' })
    const poll = await fetch(`${url}/widget/binding`, { headers: { Authorization: `Bearer ${token}` } })
    expect(await poll.json()).toMatchObject({ state: 'bound' })
    expect(await (await fetch(url)).text()).toBe('your own page')
  })
})
