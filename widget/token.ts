/** Where the widget token comes from: the `token` given, or one fetched anew whenever the last was refused. */
import { BindError } from './bind-error.ts'
import { fetchJson } from './http.ts'

/** The page's side of it, read at each request: `getToken` goes before `tokenUrl`, a `token` given goes before both. */
export type Credentials = {
  readonly token: string
  readonly tokenUrl: string
  readonly getToken: (() => string | Promise<string>) | undefined
}

/** A token other than the one just `refused`; undefined when there is none. */
export type TokenSource = (signal: AbortSignal, refused?: string) => Promise<string | undefined>

const TIMEOUT_MS = 10_000

/** Whether there is anything to start with. */
export function hasCredentials({ token, tokenUrl, getToken }: Credentials): boolean {
  return Boolean(token || tokenUrl || getToken)
}

export function createTokenSource(page: Credentials, send: typeof fetch): TokenSource {
  const spent = new Set<string>()
  let held: { token: string; from: unknown } | undefined

  return async (signal, refused) => {
    const from = page.getToken ?? page.tokenUrl
    // A plain token is all there is: a retry of the user's may try it again, a retry of ours may not.
    if (!from) return page.token === refused ? undefined : page.token
    if (refused) spent.add(refused)
    if (page.token && !spent.has(page.token)) return page.token
    if (held?.from !== from || spent.has(held.token)) held = { from, token: await fetchToken(page, send, signal) }
    return held.token
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
    signal.throwIfAborted()
    const retryable = cause instanceof BindError && cause.retryable
    throw new BindError('NO_TOKEN', 'The page gave no widget token', { cause, retryable })
  }
  throw new BindError('NO_TOKEN', 'Expected a widget token from the page, got nothing')
}

async function fetchFromUrl(url: string, send: typeof fetch, signal: AbortSignal): Promise<string> {
  const answer = await fetchJson(send, {
    url: new URL(url, document.baseURI).href,
    timeoutMs: TIMEOUT_MS,
    signal,
    // The page's own endpoint knows the user by its session.
    credentials: 'include',
    cache: 'no-store',
  })
  return (answer as { token: string } | null)?.token ?? ''
}
