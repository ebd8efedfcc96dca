/** The console of the demo, at `/console`. The sign-in page offers a token for each role. */
import { createHash } from 'node:crypto'
import { Hono } from 'hono'
import { createConsole } from '../server/console/console.ts'
import type { Deps } from '../server/deps.ts'
import { createOperators, type Operator } from '../server/keys/operators.ts'

type DemoConsoleOptions = {
  /**
   * Returns the bind server of the visitor who sent the request. The console calls this function for each request,
   * because a change of a condition starts a new bind server.
   */
  deps: () => Deps
  /** The demo derives the tokens from this key, so a session is still valid after a restart of the demo. */
  key: string
  /** The secret path of a demo that uses a real WeChat account, or an empty text. */
  base: string
}

export function createDemoConsole({ deps, key, base }: DemoConsoleOptions) {
  const made = new WeakMap<Deps, Hono>()
  const operators = (['viewer', 'operator'] as const).map((role): Operator => {
    const secret = createHash('sha256').update(`${key} console ${role}`).digest('base64url')
    return { name: role, secret, role }
  })
  const offers = operators.map(({ name, role, secret }) => ({ name, role, token: secret }))

  function appFor(current: Deps): Hono {
    const console: Deps['console'] = {
      ...current.console,
      operators: createOperators(operators),
      // The console need not check the host name, because the demo has already checked it.
      hostNames: { has: () => true },
      // Removes the visitor's prefix from the path, because the console does not expect it.
      cookiePath: `${base}/`,
      offers,
    }
    return new Hono().route('/console', createConsole({ ...current, console }))
  }

  return (request: Request, bindings: object): Response | Promise<Response> => {
    const current = deps()
    const app = made.get(current) ?? appFor(current)
    made.set(current, app)
    return app.fetch(request, bindings)
  }
}
