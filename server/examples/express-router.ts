/**
 * Mounts the bind server in an Express Router under a prefix. The prefix is part of every URL: WeChat's callback is then
 * `/bind/wechat/callback`, the element's `server` and the client's `server` end with `/bind`. Node only: needs Node's own modules.
 */
import { getRequestListener } from '@hono/node-server'
import express, { type Express } from 'express'
import type { OpenApp } from '../index.ts'

export function mountUnderPrefix(bind: OpenApp): Express {
  const listener = getRequestListener(bind.app.fetch)
  const router = express.Router()
  // In a Router, Express removes the prefix from `request.url`, which is the URL that the bind server gets.
  router.all(['/wechat/callback', '/wechat/oauth', '/widget/{*path}', '/api/WeChat/{*path}'], (request, response) => {
    void listener(request, response)
  })
  return express()
    .use('/bind', router)
    .use(express.json())
    .get('/', (_, response) => {
      response.send('your own page')
    })
}
