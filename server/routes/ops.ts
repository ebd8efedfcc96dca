/** Metrics, health checks and the API description, for the operator. */
import { Hono } from 'hono'
import { openapi } from '../api/openapi.ts'
import type { Deps } from '../deps.ts'
import { jsonAnswer, toResponse } from '../http/answer.ts'

export function opsRoutes({ store, wechat, metrics }: Deps) {
  const state = (check: Promise<void>) =>
    check.then(
      () => 'ok' as const,
      (error: { code?: string }) => error.code ?? 'failed',
    )

  return new Hono()
    .get('/metrics', async (c) =>
      toResponse(c, { status: 200, headers: { 'Content-Type': metrics.contentType }, body: await metrics.render() }),
    )
    .get('/openapi.json', (c) => toResponse(c, jsonAnswer(openapi)))
    .get('/healthz', (c) => toResponse(c, jsonAnswer({ status: 'ok' })))
    .get('/readyz', async (c) => {
      const checks = { store: await state(store.ping()), wechat: await state(wechat.checkAccess()) }
      const isReady = Object.values(checks).every((check) => check === 'ok')
      return toResponse(c, jsonAnswer({ status: isReady ? 'ok' : 'unavailable', checks }, isReady ? 200 : 503))
    })
}
