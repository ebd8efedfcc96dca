/** The Hono app that `serve` runs and that teams mount in a server of their own. */
import { Hono } from 'hono'
import { CALLBACK_PATH } from './callback.ts'
import type { Deps } from './deps.ts'
import { BindError } from './errors.ts'
import { answerProblem, onError } from './problem.ts'
import { logRequests } from './request-log.ts'
import { callbackRoutes } from './routes/callback.ts'
import { hostApiRoutes } from './routes/host-api.ts'
import { opsRoutes } from './routes/ops.ts'
import { widgetApiRoutes } from './routes/widget-api.ts'
import { widgetFileRoutes } from './routes/widget-file.ts'

export function createApp(deps: Deps): Hono {
  return new Hono()
    .use(logRequests(deps))
    .route(CALLBACK_PATH, callbackRoutes(deps))
    .route('/api/WeChat', hostApiRoutes(deps))
    .route('/widget', widgetApiRoutes(deps))
    .route('/', widgetFileRoutes(deps))
    .route('/', opsRoutes(deps))
    .notFound((c) => answerProblem(c, notFound()))
    .onError(onError(deps.log)) as unknown as Hono
}

/** The path is not repeated: who has put a token or an openid into it must not find it in a log of errors. */
const notFound = () =>
  new BindError('NOT_FOUND', 'There is nothing for this method and path: /openapi.json lists all that there is.')
