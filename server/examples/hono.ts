/** Mounts the bind server's routes in your own Hono server. Metrics and probes (`bind.ops`) are not mounted. */
import { type Context, Hono } from 'hono'
import type { OpenApp } from '../index.ts'

export function mountInHono(bind: OpenApp): Hono {
  // On Node `c.env` contains the original request. The bind server needs it to refuse unusual spellings of a path.
  const toBind = (c: Context) => bind.app.fetch(c.req.raw, c.env)
  return new Hono()
    .get('/', (c) => c.text('your own page'))
    .all('/wechat/callback', toBind)
    .all('/wechat/oauth', toBind)
    .all('/widget/*', toBind)
    .all('/api/WeChat/*', toBind)
}
