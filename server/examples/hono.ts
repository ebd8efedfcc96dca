/** Mounts the bind server's routes in your own Hono server, beside yours. */
import { Hono } from 'hono'
import type { OpenApp } from '../index.ts'

export function mountInHono(bind: OpenApp): Hono {
  return new Hono().get('/', (c) => c.text('your own page')).route('/', bind.app)
}
