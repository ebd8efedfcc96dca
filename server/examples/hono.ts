/** Mounts the bind server's routes in your own Hono server, beside yours. Metrics and probes (`bind.ops`) stay inside. */
import { type Context, Hono } from 'hono'
import type { OpenApp } from '../index.ts'

export function mountInHono(bind: OpenApp): Hono {
  // On Node `c.env` holds the request as received: the bind server refuses unusual spellings of a path by it.
  const toBind = (c: Context) => bind.app.fetch(c.req.raw, c.env)
  return new Hono()
    .get('/', (c) => c.text('your own page'))
    .all('/wechat/callback', toBind)
    .all('/widget/*', toBind)
    .all('/api/WeChat/*', toBind)
}
