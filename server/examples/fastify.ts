/**
 * Mounts the bind server in a Fastify server. Its parsers are off for these routes, because WeChat's signature and the encryption
 * cover the bytes of the body. Node only: needs Node's own modules.
 */
import { getRequestListener } from '@hono/node-server'
import fastify, { type FastifyInstance } from 'fastify'
import type { OpenApp } from '../index.ts'

export function mountInFastify(bind: OpenApp): FastifyInstance {
  const listener = getRequestListener(bind.app.fetch)
  const server = fastify()
  server.register(async (scope) => {
    scope.removeAllContentTypeParsers()
    scope.addContentTypeParser('*', (_request, _payload, done) => done(null))
    for (const path of ['/wechat/callback', '/wechat/oauth', '/widget/*', '/api/WeChat/*']) {
      scope.all(path, (request, reply) => {
        // The listener answers on Node's response, so Fastify must not answer.
        reply.hijack()
        void listener(request.raw, reply.raw)
      })
    }
  })
  server.get('/', async () => 'your own page')
  return server
}
