/**
 * Mounts the bind server in an Express server whose body parsers run first, for example because a framework adds them. WeChat's
 * signature and the encryption cover the bytes of the body, so the parsers must store these bytes in `rawBody`, from which the
 * listener reads the body. Node only: needs Node's own modules.
 */
import type { IncomingMessage } from 'node:http'
import { getRequestListener } from '@hono/node-server'
import express, { type Express } from 'express'
import type { OpenApp } from '../index.ts'

function keepRawBody(request: IncomingMessage, _: unknown, rawBody: Buffer): void {
  Object.assign(request, { rawBody })
}

export function mountBehindParsers(bind: OpenApp): Express {
  const listener = getRequestListener(bind.app.fetch)
  return express()
    .use(express.json({ verify: keepRawBody }))
    .use(express.text({ type: ['text/*', 'application/xml', 'application/jose'], verify: keepRawBody }))
    .all(['/wechat/callback', '/wechat/oauth', '/widget/{*path}', '/api/WeChat/{*path}'], (request, response) => {
      void listener(request, response)
    })
    .get('/', (_, response) => {
      response.send('your own page')
    })
}
