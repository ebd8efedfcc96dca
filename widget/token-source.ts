/**
 * Returns the widget token for requests: the page's `token`. If `token` is empty or the server has refused it, this
 * module gets a token with `getToken` or from `tokenUrl`.
 */
import { BindError } from './bind-error.ts'
import { parseResponse } from './response.ts'
import type { Send } from './send.ts'

/** The page's settings, read at each request. Precedence: `token`, `getToken`, `tokenUrl`. */
export type Credentials = {
  readonly token: string
  readonly tokenUrl: string
  readonly getToken: (() => string | Promise<string>) | undefined
}

/** Returns a token that differs from `refused`, the token that the server has just rejected. Returns undefined when the page has no other token. */
type TokenSource = (signal: AbortSignal, refused?: string) => Promise<string | undefined>

export function createTokenSource(page: Credentials, send: Send): TokenSource {
  const refusedTokens = new Set<string | undefined>()
  let cached: string | undefined
  let cachedFrom: unknown

  return async (signal, refused) => {
    const { token, tokenUrl, getToken } = page
    const from = getToken ?? tokenUrl
    // Only `token` is set, so there is no other token. The element does not send a refused token again by itself, but a
    // retry by the user does.
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
  // The message leaves out the query, because it may contain a secret.
  const source = getToken ? 'getToken' : `token-url ${tokenUrl.split('?')[0]}`
  try {
    const token = getToken ? await getToken() : await fetchFromUrl(tokenUrl, send, signal)
    if (token && typeof token === 'string') return token
    throw new BindError('NO_TOKEN', 'No token')
  } catch (cause) {
    // The element retries after a network failure of `tokenUrl`, and after an error response that is marked retryable.
    // It does not retry after any other error response, or after a failure of `getToken`.
    const { message, retryable, retryAfterMs, status } =
      cause instanceof BindError
        ? cause
        : new BindError('', getToken ? 'It failed' : 'No connection', { retryable: !getToken })
    throw new BindError('NO_TOKEN', `${source}: ${message}`, { retryable, retryAfterMs, status, cause })
  }
}

/**
 * The page's endpoint identifies the user by the session cookie. A redirect appears as an answer with the status 0, and
 * usually leads to a sign-in page.
 */
async function fetchFromUrl(url: string, send: Send, signal: AbortSignal): Promise<string> {
  const init = { credentials: 'include', cache: 'no-store', redirect: 'manual', signal } as const
  const answer = await send(url, init, 'allow this origin there, with credentials')
  const { token } = ((await parseResponse(answer)) ?? {}) as { token?: unknown }
  if (token && typeof token === 'string') return token
  const { status } = answer
  throw new BindError('NO_TOKEN', `Expected {"token":"..."}, got HTTP ${status}`, { status })
}
