/**
 * Mounts the bind server in an Express server. It must be mounted before any body parser, because WeChat signs the raw body.
 * Node only: needs Node's own modules.
 */
import { getRequestListener } from '@hono/node-server'
import express, { type Express } from 'express'
import type { OpenApp } from '../index.ts'

export function mountInExpress(bind: OpenApp): Express {
  const listener = getRequestListener(bind.app.fetch)
  return express()
    .all(['/wechat/callback', '/wechat/oauth', '/widget/{*path}', '/api/WeChat/{*path}'], (request, response) => {
      void listener(request, response)
    })
    .use(express.json())
    .get('/', (_, response) => {
      response.send('your own page')
    })
}
