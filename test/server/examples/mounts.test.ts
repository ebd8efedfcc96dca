import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { mountInExpress } from '../../../server/examples/express.ts'
import { mountInHono } from '../../../server/examples/hono.ts'
import { mountInNode } from '../../../server/examples/node.ts'
import { startListening, stopListening } from '../../../server/main.ts'
import { type House, openHouse } from '../../support/house.ts'

let house: House
let server: Server
beforeEach(async () => {
  house = await openHouse()
})
afterEach(async () => {
  await stopListening(server)
  await house.close()
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
      const started = await startListening(mountInHono(house), '127.0.0.1', 0)
      server = started.server
      return started.url
    },
  ],
  ['mountInExpress', () => listen(createServer(mountInExpress(house)))],
  ['mountInNode', () => listen(mountInNode(house))],
]

/** A callback and a poll through real sockets: what a body parser or a wrong path would break. */
describe.each(mounts)('%s', (_, mount) => {
  test('binds through the callback and keeps the host’s own page', async () => {
    const url = await mount()
    house.simulator.setCallbackUrl(`${url}/wechat/callback`)
    const qr = await house.ticketUrl()
    await house.phone('amy').scan(qr)
    expect(await house.phone('amy').follow()).toMatchObject({ kind: 'text' })
    const token = await house.client.mintToken({ account: 'acme', userId: 'u1' })
    const poll = await fetch(`${url}/widget/binding`, { headers: { Authorization: `Bearer ${token}` } })
    expect(await poll.json()).toMatchObject({ state: 'bound' })
    expect(await (await fetch(url)).text()).toBe('your own page')
  })
})
