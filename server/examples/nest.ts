/**
 * Mounts the bind server in a Nest server on Express. `use` before `init` and `listen` puts it in front of Nest's body parsers,
 * because WeChat's signature and the encryption cover the bytes of the body. Node only: needs Node's own modules.
 */
import 'reflect-metadata'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { getRequestListener } from '@hono/node-server'
import type { INestApplication } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import type { OpenApp } from '../index.ts'

const OURS = /^\/(wechat\/callback|widget\/|api\/WeChat\/)/

export async function mountInNest(bind: OpenApp, appModule: object): Promise<INestApplication> {
  const listener = getRequestListener(bind.app.fetch)
  const server = await NestFactory.create(appModule as Parameters<typeof NestFactory.create>[0], { logger: false })
  server.use((request: IncomingMessage, response: ServerResponse, next: () => void) => {
    if (OURS.test(request.url ?? '')) void listener(request, response)
    else next()
  })
  return server
}
