/** Where the widget token comes from: the `token` given, or one fetched anew whenever the last was refused. */
import { BindError } from './bind-error.ts'
import { parseResponse } from './response.ts'

/** The page's side of it, read at each request: `getToken` goes before `tokenUrl`, a `token` given goes before both. */
export type Credentials = {
  readonly token: string
  readonly tokenUrl: string
  readonly getToken: (() => string | Promise<string>) | undefined
}

/** A token other than the one just `refused`; undefined when there is none. */
export type TokenSource = (signal: AbortSignal, refused?: string) => Promise<string | undefined>

export function createTokenSource(page: Credentials, send: typeof fetch): TokenSource {
  const spent = new Set<string | undefined>()
  let held: string | undefined
  let heldFrom: unknown

  return async (signal, refused) => {
    const { token, tokenUrl, getToken } = page
    const from = getToken ?? tokenUrl
    // A plain token is all there is: a retry of the user's may try it again, a retry of ours may not.
    if (!from) return token === refused ? undefined : token
    spent.add(refused)
    if (token && !spent.has(token)) return token
    if (heldFrom !== from || spent.has(held)) {
      held = await fetchToken(page, send, signal)
      heldFrom = from
    }
    return held
  }
}

async function fetchToken(
  { getToken, tokenUrl }: Credentials,
  send: typeof fetch,
  signal: AbortSignal,
): Promise<string> {
  try {
    const token = getToken ? await getToken() : await fetchFromUrl(tokenUrl, send, signal)
    if (token && typeof token === 'string') return token
  } catch (cause) {
    throw new BindError('NO_TOKEN', 'The page gave no widget token', {
      // A server that answers, and refuses, has decided; a network that fails has not.
      retryable: cause instanceof BindError ? cause.retryable : !getToken,
      cause,
    })
  }
  throw new BindError('NO_TOKEN', 'Expected a widget token, got nothing')
}

/** The page's own endpoint knows the user by its session. */
async function fetchFromUrl(url: string, send: typeof fetch, signal: AbortSignal): Promise<unknown> {
  const answer = await send(new URL(url, document.baseURI), { credentials: 'include', cache: 'no-store', signal })
  return ((await parseResponse(answer)) as { token?: unknown } | null)?.token
}
