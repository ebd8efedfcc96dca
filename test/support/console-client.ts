/**
 * Simulates a browser with the console. It keeps the cookie and the CSRF token, and sends the same requests as the
 * page.
 */
import type { SessionView } from '../../server/console/wire.ts'

export const TOKENS = {
  vera: 'vera-secret-0123456789',
  otto: 'otto-secret-0123456789',
}

/** `vera` is a viewer, and `otto` is an operator. */
export const CONSOLE_TOKENS = `vera:${TOKENS.vera},otto:${TOKENS.otto}:operator`

const BASE = 'http://127.0.0.1:4002'

export type ConsoleClient = ReturnType<typeof createConsoleClient>

/** A Hono app, or `{ request: fetch }` for a console on a socket. */
type Requested = { request(url: string, init: RequestInit): Response | Promise<Response> }

export function createConsoleClient(app: Requested, base = BASE) {
  let cookie: string | undefined
  let csrf: string | undefined

  async function request(
    path: string,
    init: RequestInit & { headers?: Record<string, string> } = {},
  ): Promise<Response> {
    return app.request(`${base}/${path}`, {
      ...init,
      headers: {
        ...(cookie ? { Cookie: cookie } : {}),
        ...(csrf && init.method ? { 'X-Console-CSRF': csrf } : {}),
        ...init.headers,
      },
    })
  }

  const client = {
    request,
    cookie: () => cookie,
    csrf: () => csrf,
    get: (path: string) => request(path),
    post: (path: string, body: unknown = {}, headers: Record<string, string> = {}) =>
      request(path, {
        method: 'POST',
        body: JSON.stringify(body),
        headers: { 'Content-Type': 'application/json', ...headers },
      }),
    json: async <T = Record<string, unknown>>(response: Promise<Response> | Response): Promise<T> =>
      (await response).json() as Promise<T>,
    async signIn(name: keyof typeof TOKENS | { token: string }): Promise<Response> {
      const token = typeof name === 'string' ? TOKENS[name] : name.token
      const response = await client.post('api/session', { token })
      if (!response.ok) return response
      const set = response.headers.get('Set-Cookie') ?? ''
      cookie = set.split(';')[0]
      csrf = ((await response.clone().json()) as SessionView).csrf
      return response
    },
    signOut: () => request('api/session', { method: 'DELETE' }),
  }
  return client
}
