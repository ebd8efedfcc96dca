/** Returns the widget token for requests: the page's `token`, or one fetched with `getToken` or `tokenUrl` after a refusal. */
import { BindError } from './bind-error.ts'
import { parseResponse } from './response.ts'
import type { Send } from './send.ts'

/** The page's settings, read at each request. Precedence: `token`, `getToken`, `tokenUrl`. */
export type Credentials = {
  readonly token: string
  readonly tokenUrl: string
  readonly getToken: (() => string | Promise<string>) | undefined
}

/** Returns a token that differs from `refused`, the token that the server has just rejected; undefined when there is none. */
type TokenSource = (signal: AbortSignal, refused?: string) => Promise<string | undefined>

export function createTokenSource(page: Credentials, send: Send): TokenSource {
  const refusedTokens = new Set<string | undefined>()
  let cached: string | undefined
  let cachedFrom: unknown

  return async (signal, refused) => {
    const { token, tokenUrl, getToken } = page
    const from = getToken ?? tokenUrl
    // Only `token` is set: the element's own retry does not send a refused token again, a retry of the user does.
    if (!from) return token === refused ? undefined : token
    refusedTokens.add(refused)
    if (token && !refusedTokens.has(token)) return token
    if (cachedFrom !== from || refusedTokens.has(cached)) {
      cached = await fetchToken(page, send, signal)
      cachedFrom = from
    }
    return cached
  }
}

async function fetchToken({ getToken, tokenUrl }: Credentials, send: Send, signal: AbortSignal): Promise<string> {
  try {
    const token = getToken ? await getToken() : await fetchFromUrl(tokenUrl, send, signal)
    if (token && typeof token === 'string') return token
  } catch (cause) {
    throw new BindError('NO_TOKEN', 'The page returned no widget token', {
      // An error response of the page's server is final unless it is marked retryable. A failed `getToken` is final, a network failure of `tokenUrl` is not.
      retryable: cause instanceof BindError ? cause.retryable : !getToken,
      cause,
    })
  }
  throw new BindError('NO_TOKEN', 'The page returned no widget token')
}

/** The page's endpoint identifies the user by the session cookie. */
async function fetchFromUrl(url: string, send: Send, signal: AbortSignal): Promise<unknown> {
  const answer = await send(url, { credentials: 'include', cache: 'no-store', signal })
  return ((await parseResponse(answer)) as { token?: unknown } | null)?.token
}
