/**
 * Mounts the bind server as route handlers of Next's app router, on the runtime `nodejs`. Put this file into `lib/bind.ts`, and one
 * line into each of app/wechat/callback/route.ts, app/wechat/oauth/route.ts, app/widget/[...path]/route.ts and
 * app/api/WeChat/[...path]/route.ts:
 *
 *     export { DELETE, GET, OPTIONS, POST } from '../../../lib/bind'
 *
 * In next.config, `serverExternalPackages: ['wechat-bind-server']` keeps the package out of the bundle. Node only: opens the store.
 */
import { type OpenApp, openApp, parseConfig } from '../index.ts'

// Next evaluates a module again for each route, and after each change in development. So the store is kept in a global variable.
const once = globalThis as { bind?: Promise<OpenApp> }

const handle = async (request: Request): Promise<Response> => {
  once.bind ??= openApp(parseConfig(process.env), { log: console })
  return (await once.bind).app.fetch(request)
}

export { handle as DELETE, handle as GET, handle as OPTIONS, handle as POST }
