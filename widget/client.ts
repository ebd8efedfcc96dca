/** The browser API over an injected fetch: each call returns the server's value or throws a BindError. */
import type { BindingView, QrcodeView } from '../server/wire.ts'
import { BindError } from './bind-error.ts'
import { fetchJson } from './http.ts'
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

/** Looks `fetch` up late by default: pages and tools put their own in its place. */
export function createClient(
  page: ClientOptions,
  fetch: typeof globalThis.fetch = (...args) => globalThis.fetch(...args),
): Client {
  const token = createTokenSource(page, fetch)

  function send({ method, path, signal, body, headers }: Call, bearer: string): Promise<unknown> {
    const type = body && { 'Content-Type': 'application/json' }
    return fetchJson(fetch, {
      url: toUrl(page.server, path),
      method,
      body: body ? JSON.stringify(body) : null,
      headers: { ...headers, ...type, Authorization: `Bearer ${bearer}`, 'Accept-Language': page.language },
      credentials: 'omit',
      timeoutMs: TIMEOUT_MS + (headers ? WAIT_SECONDS * 1000 : 0),
      signal,
    })
  }

  async function request(call: Call): Promise<unknown> {
    const bearer = await token(call.signal)
    if (!bearer) throw new BindError('NO_TOKEN', 'Set token, token-url or getToken')
    try {
      return await send(call, bearer)
    } catch (error) {
      if (!isRefusedToken(error)) throw error
      const renewed = await token(call.signal, bearer)
      if (!renewed) throw error
      return send(call, renewed)
    }
  }

  return {
    createQrcode: async (replace, signal) =>
      parseQrcode(await request({ method: 'POST', path: 'qrcode', body: { refresh: replace }, signal })),

    async waitPast(version, signal) {
      const headers = { 'If-None-Match': `"${version}"`, Prefer: `wait=${WAIT_SECONDS}` }
      const answer = await request({ method: 'GET', path: 'binding', headers, signal })
      return answer === null ? null : parseBinding(answer)
    },

    confirm: async (code, signal) =>
      parseBinding(await request({ method: 'POST', path: 'confirm', body: { code }, signal })),

    unbind: async (signal) => parseBinding(await request({ method: 'DELETE', path: 'binding', signal })),
  }
}

function isRefusedToken(error: unknown): boolean {
  return error instanceof BindError && (error.code === 'TOKEN_EXPIRED' || error.code === 'UNAUTHORIZED')
}

/** `server` may be a path or have one: `https://example.com/bind` serves `/bind/widget/binding`. */
function toUrl(server: string, path: string): string {
  try {
    return new URL(`${server.replace(/\/+$/, '')}/widget/${path}`, document.baseURI).href
  } catch (cause) {
    throw new BindError('BAD_REQUEST', 'server must be a URL', { cause })
  }
}

function parseBinding(answer: unknown): BindingView {
  const view = answer as Partial<BindingView> | null
  if (typeof view?.version === 'number' && ['unbound', 'scanned', 'bound'].includes(view.state ?? '')) {
    return view as BindingView
  }
  throw new BindError('BAD_RESPONSE', 'Expected a binding, got something else')
}

function parseQrcode(answer: unknown): QrcodeView {
  const view = parseBinding(answer) as Partial<QrcodeView>
  if (view.state === 'unbound' && !(view.qr?.path && view.qr.size && view.expiresIn)) {
    throw new BindError('BAD_RESPONSE', 'Expected a QR code, got something else')
  }
  return view as QrcodeView
}
