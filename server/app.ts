/** The Hono app that `serve` runs and that teams mount in a server of their own. */
import { Hono } from 'hono'
import type { Deps } from './deps.ts'
import { BindError } from './errors.ts'
import { endpointRoutes } from './http/endpoint.ts'
import { answerProblem, onError } from './http/problem.ts'
import { logRequests } from './http/request-log.ts'
import { createEncryptedApi } from './routes/encrypted-api.ts'
import { opsRoutes } from './routes/ops.ts'
import { callbackRoutes } from './routes/wechat-callback.ts'
import { widgetApiRoutes } from './routes/widget-api.ts'
import { widgetFileRoutes } from './routes/widget-file.ts'

export function createApp(deps: Deps): Hono {
  const app = new Hono().use(logRequests(deps)).route('/', callbackRoutes(deps))
  for (const endpoint of createEncryptedApi(deps)) app.route('/', endpointRoutes(endpoint))
  return app
    .route('/widget', widgetApiRoutes(deps))
    .route('/', widgetFileRoutes(deps))
    .route('/', opsRoutes(deps))
    .notFound((c) => answerProblem(c, notFound()))
    .onError(onError(deps.log)) as unknown as Hono
}

/** The path is not repeated: who has put a token or an openid into it must not find it in a log of errors. */
const notFound = () =>
  new BindError('NOT_FOUND', 'There is nothing for this method and path: /openapi.json lists all that there is.')
