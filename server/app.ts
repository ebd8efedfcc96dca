/** Makes the endpoints and the Hono apps that contain them. `serve` runs these apps; teams can mount them in their own server. */
import { Hono } from 'hono'
import type { Deps } from './deps.ts'
import { createEncryptedEndpoints } from './http/encrypted-endpoint.ts'
import type { Endpoint } from './http/endpoint.ts'
import { endpointRoutes } from './http/hono-routes.ts'
import { notFound, onError } from './http/problem.ts'
import { logRequests } from './http/request-log.ts'
import { refuseUnusualTargets } from './http/request-target.ts'
import { dataApiEndpoints } from './routes/data-api.ts'
import { encryptedApiEndpoints } from './routes/encrypted-api.ts'
import { oauthEndpoints } from './routes/oauth.ts'
import { descriptionRoutes, opsRoutes } from './routes/ops.ts'
import { verifyFileRoutes } from './routes/verify-file.ts'
import { callbackEndpoints } from './routes/wechat-callback.ts'
import { widgetApiEndpoints } from './routes/widget-api.ts'
import { widgetFileRoutes } from './routes/widget-file.ts'

export const createEndpoints = (deps: Deps): Endpoint[] => [
  ...callbackEndpoints(deps),
  ...backEndEndpoints(deps),
  // Mounted before the browser API, because the fallback of that API answers every other path below /widget.
  ...oauthEndpoints(deps),
  ...widgetApiEndpoints(deps),
]

function backEndEndpoints(deps: Deps): Endpoint[] {
  const endpoint = createEncryptedEndpoints(deps)
  return [...encryptedApiEndpoints(deps, endpoint), ...dataApiEndpoints(deps, endpoint)]
}

type AppOptions = {
  /** The endpoints made from `deps`, if the caller has them already. */
  endpoints?: Endpoint[]
  /** Whether the app has metrics and probes. Default true. */
  hasOps?: boolean
}

export function createApp(deps: Deps, { endpoints = createEndpoints(deps), hasOps = true }: AppOptions = {}): Hono {
  const ops = hasOps ? [opsRoutes(deps)] : []
  return assemble(deps, [
    endpointRoutes(endpoints),
    widgetFileRoutes(deps),
    verifyFileRoutes(deps),
    descriptionRoutes(),
    ...ops,
  ])
}

/** An app with only metrics and probes, for a separate port. */
export const createOpsApp = (deps: Deps): Hono => assemble(deps, [opsRoutes(deps)])

function assemble(deps: Deps, parts: Hono[]): Hono {
  const answerError = onError(deps.log)
  const app = new Hono().use(logRequests(deps))
  // The check is added to each route, so that it does not affect the other paths of a server in which the app is mounted.
  for (const { method, path } of parts.flatMap(({ routes }) => routes)) app.on(method, path, refuseUnusualTargets)
  for (const part of parts) app.route('/', part)
  return app.notFound((c) => answerError(notFound(), c)).onError(answerError)
}
