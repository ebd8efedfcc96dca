/** In a bare Node server: hand our paths to the app, keep the rest. NODE. */
import { createServer, type Server } from 'node:http'
import { getRequestListener } from '@hono/node-server'
import type { OpenApp } from '../index.ts'

const OURS = /^\/(wechat\/callback|widget\/|api\/WeChat\/)/

export function mountInNode(bind: OpenApp): Server {
  const listener = getRequestListener(bind.app.fetch)
  return createServer((request, response) => {
    if (OURS.test(request.url ?? '')) return void listener(request, response)
    response.end('your own page')
  })
}
