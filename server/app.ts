/** The endpoints of the bind server, and the Hono app that contains them: `serve` runs it, teams mount it in their own server. */
import { Hono } from 'hono'
import type { Deps } from './deps.ts'
import type { Endpoint } from './http/endpoint.ts'
import { endpointRoutes } from './http/hono-routes.ts'
import { notFound, onError } from './http/problem.ts'
import { logRequests } from './http/request-log.ts'
import { encryptedApiEndpoints } from './routes/encrypted-api.ts'
import { opsRoutes } from './routes/ops.ts'
import { callbackEndpoints } from './routes/wechat-callback.ts'
import { widgetApiEndpoints } from './routes/widget-api.ts'
import { widgetFileRoutes } from './routes/widget-file.ts'

export const createEndpoints = (deps: Deps): Endpoint[] => [
  ...callbackEndpoints(deps),
  ...encryptedApiEndpoints(deps),
  ...widgetApiEndpoints(deps),
]

/** `endpoints`: those of `deps`, where the caller has made them already. */
export function createApp(deps: Deps, endpoints: Endpoint[] = createEndpoints(deps)): Hono {
  const answerError = onError(deps.log)
  return new Hono()
    .use(logRequests(deps))
    .route('/', endpointRoutes(endpoints))
    .route('/', widgetFileRoutes(deps))
    .route('/', opsRoutes(deps))
    .notFound((c) => answerError(notFound(), c))
    .onError(answerError) as unknown as Hono
}
