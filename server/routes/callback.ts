/** WeChat's side, where the app is mounted; `serve` answers deliveries past Hono (callback-listener.ts). */
import { type Context, Hono } from 'hono'
import { toResponse } from '../answer.ts'
import { bodyLimit } from '../body-limit.ts'
import { createCallback, MAX_BODY } from '../callback.ts'
import type { Deps } from '../deps.ts'

export function callbackRoutes(deps: Deps) {
  const callback = createCallback(deps)
  const requestIdOf = (c: Context): string => c.get('requestId')

  return new Hono()
    .use(bodyLimit(MAX_BODY))
    .get('/', (c) => toResponse(c, callback.echo(searchOf(c), requestIdOf(c))))
    .post('/', async (c) => {
      const body = new Uint8Array(await c.req.arrayBuffer())
      const delivery = { search: searchOf(c), body, contentType: c.req.header('Content-Type') }
      return toResponse(c, await callback.deliver(delivery, requestIdOf(c)))
    })
    .onError((thrown, c) => toResponse(c, callback.refuse(thrown, requestIdOf(c))))
}

const searchOf = (c: Context) => new URL(c.req.url).search
