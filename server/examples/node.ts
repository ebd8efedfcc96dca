/**
 * Mounts the bind server in a plain Node server. Requests for its paths go to the app, all others to your own handler.
 * Node only: needs Node's own modules.
 */
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
