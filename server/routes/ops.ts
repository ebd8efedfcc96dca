/** For the operator's probes. */
import { Hono } from 'hono'
import type { Deps } from '../deps.ts'
import { openapi } from '../openapi.ts'

export function opsRoutes({ store, wechat, metrics }: Deps) {
  const state = (check: Promise<void>) =>
    check.then(
      () => 'ok' as const,
      (error: { code?: string }) => error.code ?? 'failed',
    )

  return new Hono()
    .get('/metrics', async (c) => c.body(await metrics.render(), 200, { 'Content-Type': metrics.contentType }))
    .get('/openapi.json', (c) => c.json(openapi))
    .get('/healthz', (c) => c.json({ status: 'ok' }))
    .get('/readyz', async (c) => {
      const checks = { store: await state(store.ping()), wechat: await state(wechat.checkAccess()) }
      const isReady = Object.values(checks).every((check) => check === 'ok')
      return c.json({ status: isReady ? 'ok' : 'unavailable', checks }, isReady ? 200 : 503)
    })
}
