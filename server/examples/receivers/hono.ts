/** Receives webhooks in a Hono server. */
import { Hono } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { createReceive, type StoreChange } from './receive.ts'

export function receiveInHono(secret: string, storeChange: StoreChange): Hono {
  const receive = createReceive(secret, storeChange)
  return new Hono().post('/webhook', bodyLimit({ maxSize: 64 * 1024 }), async (c) => {
    const status = await receive(await c.req.text(), c.req.header())
    return new Response(null, { status })
  })
}
