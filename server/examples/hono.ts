/** In a Hono server of your own: the bind server's routes beside yours. */
import { Hono } from 'hono'
import type { OpenApp } from '../index.ts'

export function mountInHono(bind: OpenApp): Hono {
  return new Hono().get('/', (c) => c.text('your own page')).route('/', bind.app)
}
