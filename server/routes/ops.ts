/** Metrics and health checks for the operator, and the public description of the API. */
import { Hono } from 'hono'
import { openapi } from '../api/openapi.ts'
import type { Deps } from '../deps.ts'
import { jsonAnswer, toResponse } from '../http/answer.ts'
import { createReadiness } from '../telemetry/readiness.ts'

/** These routes are on the main port, or on a separate port if `OPS_PORT` is set. */
export function opsRoutes(deps: Deps) {
  const { metrics } = deps
  const readiness = createReadiness(deps)

  return new Hono()
    .get('/metrics', async (c) =>
      toResponse(c, { status: 200, headers: { 'Content-Type': metrics.contentType }, body: await metrics.render() }),
    )
    .get('/healthz', (c) => toResponse(c, jsonAnswer({ status: 'ok' })))
    .get('/readyz', async (c) => {
      const checks = await readiness()
      const isReady = Object.values(checks).every((check) => check === 'ok')
      return toResponse(c, jsonAnswer({ status: isReady ? 'ok' : 'unavailable', checks }, isReady ? 200 : 503))
    })
}

export const descriptionRoutes = () => new Hono().get('/openapi.json', (c) => toResponse(c, jsonAnswer(openapi)))
