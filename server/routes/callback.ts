/** WeChat's side. */
import { Hono } from 'hono'
import { toResponse } from '../answer.ts'
import { CALLBACK_PATH, createCallback } from '../callback.ts'
import type { Deps } from '../deps.ts'
import { endpointRoutes } from '../endpoint.ts'

export function callbackRoutes(deps: Deps) {
  const callback = createCallback(deps)
  return new Hono()
    .get(CALLBACK_PATH, (c) => toResponse(c, callback.echo(new URL(c.req.url).search, c.get('requestId'))))
    .route('/', endpointRoutes(callback))
}
