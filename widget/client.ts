/** The browser API over an injected fetch: each call returns the server's value or throws a BindError. */
import type { BindingView, QrcodeView } from '../server/wire.ts'
import { BindError, isTokenError } from './bind-error.ts'
import { parseResponse, within } from './http.ts'
import { share } from './share.ts'
import { type Credentials, createTokenSource } from './token.ts'

/** The page's side of it, read at each request, so that a change needs no new client. */
export type ClientOptions = Credentials & { readonly server: string; readonly language: string }

/** What the element asks of the bind server. A call whose `signal` aborts rejects with the signal's reason. */
export type Client = {
  /** Asks for the live QR, or with `replace` for a new one that ends it. */
  createQrcode(replace: boolean, signal: AbortSignal): Promise<QrcodeView>
  /** Waits until the binding is past `version`; null when the server's wait ended first. */
  waitPast(version: number, signal: AbortSignal): Promise<BindingView | null>
  /** Proves with the four digits that WeChat shows that the scanner sits at this page. */
  confirm(code: string, signal: AbortSignal): Promise<BindingView>
  unbind(signal: AbortSignal): Promise<BindingView>
}

type Call = { method: string; path: string; signal: AbortSignal; body?: object; headers?: Record<string, string> }

/** The server's cap. */
const WAIT_SECONDS = 25
/** Beyond what the server may take: it answers a poll when the wait ends, and anything else as soon as it can. */
const TIMEOUT_MS = 10_000
const POLL_TIMEOUT_MS = TIMEOUT_MS + WAIT_SECONDS * 1000
const JSON_TYPE = { 'Content-Type': 'application/json' }

/** Looks `fetch` up late by default: pages and tools put their own in its place. */
export function createClient(
  page: ClientOptions,
  fetch: typeof globalThis.fetch = (...args) => globalThis.fetch(...args),
): Client {
  const token = createTokenSource(page, fetch)
  /** The server's opaque name for the user, and the page's `token` for which the server gave it. */
  let user: string | null = null
  let userToken: string | undefined

  async function send(path: string, init: RequestInit, bearer: string, given: string): Promise<unknown> {
    const headers = { ...init.headers, Authorization: `Bearer ${bearer}`, 'Accept-Language': page.language }
    const answer = await fetch(toUrl(page.server, path), { ...init, headers, credentials: 'omit' })
    const name = answer.headers.get('Bind-User') ?? user
    const isOther = user && user !== name && path !== 'qrcode'
    user = name
    userToken = given
    if (isOther) throw new BindError('OTHER_USER', 'The token is of another user')
    return parseResponse(answer)
  }

  function request(call: Call): Promise<unknown> {
    const { signal, method, path, body, headers } = call
    const init = { method, headers: { ...headers, ...(body && JSON_TYPE) }, body: body ? JSON.stringify(body) : null }
    return within(headers ? POLL_TIMEOUT_MS : TIMEOUT_MS, signal, async (signal) => {
      const given = page.token
      const bearer = await token(signal)
      if (!bearer) throw new BindError('NO_TOKEN', 'Set token, token-url or getToken')
      try {
        return await send(path, { ...init, signal }, bearer, given)
      } catch (error) {
        const renewed = isRefusedToken(error) && (await token(signal, bearer))
        if (!renewed) throw error
        return send(path, { ...init, signal }, renewed, given)
      }
    })
  }

  return {
    createQrcode: async (refresh, signal) =>
      parseQrcode(await request({ method: 'POST', path: 'qrcode', body: { refresh }, signal })),

    waitPast: (version, signal) => {
      // A token that is new may be another user's, whose version may be the same: a look before the first wait.
      const isKnown = (userToken ?? page.token) === page.token
      return share(isKnown ? user : null, version, signal, async (signal) => {
        const headers: Record<string, string> = isKnown
          ? { 'If-None-Match': `"${version}"`, Prefer: `wait=${WAIT_SECONDS}` }
          : {}
        const answer = await request({ method: 'GET', path: 'binding', headers, signal })
        return answer === null ? null : parseBinding(answer)
      })
    },

    confirm: async (code, signal) =>
      parseBinding(await request({ method: 'POST', path: 'confirm', body: { code }, signal })),

    unbind: async (signal) => parseBinding(await request({ method: 'DELETE', path: 'binding', signal })),
  }
}

function isRefusedToken(error: unknown): boolean {
  return error instanceof BindError && isTokenError(error)
}

/** `server` may be a path or have one: `https://example.com/bind` serves `/bind/widget/binding`. */
function toUrl(server: string, path: string): string {
  try {
    return new URL(`${(server ?? '').replace(/\/+$/, '')}/widget/${path}`, document.baseURI).href
  } catch (cause) {
    throw new BindError('BAD_REQUEST', 'server must be a URL', { cause })
  }
}

/** What is no binding came from someone else: a proxy's page may have a 200 as well. */
function parseBinding(answer: unknown): BindingView {
  const view = answer as Partial<BindingView>
  if (view.version !== undefined && (view.state === 'bound' ? view.boundAt : view.state)) return view as BindingView
  throw new BindError('BAD_RESPONSE', 'Expected a binding, got something else')
}

function parseQrcode(answer: unknown): QrcodeView {
  const view = parseBinding(answer) as QrcodeView
  if (view.state !== 'unbound' || (view.qr?.path && view.expiresIn >= 0)) return view
  throw new BindError('BAD_RESPONSE', 'Expected a QR code, got something else')
}
