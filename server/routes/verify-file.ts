/** Serves the files by which WeChat's console verifies the domain of the web authorization (网页授权域名). */
import { Hono } from 'hono'
import type { Deps } from '../deps.ts'
import { textAnswer, toResponse } from '../http/answer.ts'

export function verifyFileRoutes({ verifyFiles }: Deps) {
  const routes = new Hono()
  for (const { name, content } of verifyFiles) routes.get(`/${name}`, (c) => toResponse(c, textAnswer(content)))
  return routes
}
