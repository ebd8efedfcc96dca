/** The client of the bind server's browser API. Each method returns the parsed response or throws a BindError. */
import type { BindingView, OauthView, QrcodeView } from '../server/wire.ts'
import { BindError, isTokenError } from './bind-error.ts'
import { parseResponse } from './response.ts'
import { createSend } from './send.ts'
import { sharedPoll } from './shared-poll.ts'
import { POLL_TIMEOUT_MS, POLL_WAIT_SECONDS, REQUEST_TIMEOUT_MS, withTimeout } from './timeout.ts'
import { type Credentials, createTokenSource } from './token-source.ts'

/** The page's settings. The client reads them at each request, so a changed setting needs no new client. */
type ClientOptions = Credentials & { readonly server: string; readonly language: string }

/** When `signal` aborts, a call rejects with the signal's reason. */
export type Client = {
  /** Returns the user's valid QR code. With `replace`, the server invalidates this QR code and creates a new one. */
  createQrcode(replace: boolean, signal: AbortSignal): Promise<QrcodeView>
  /** Returns the binding at once, without a QR code. */
  look(signal: AbortSignal): Promise<BindingView>
  /** Waits for a binding whose version is greater than `version`. Returns null if the server's waiting time ends first. */
  waitPast(version: number, signal: AbortSignal): Promise<BindingView | null>
  /** Sends the four digits that WeChat displays. The digits prove that the person who scanned also sees this page. */
  confirm(code: string, signal: AbortSignal): Promise<BindingView>
  unbind(signal: AbortSignal): Promise<BindingView>
  /** Returns the URL of WeChat's authorization, from which the browser returns to the URL `page`. */
  authorize(page: string, signal: AbortSignal): Promise<string>
  /** Sends the proof that WeChat's authorization has put into the page's URL. */
  prove(proof: string, signal: AbortSignal): Promise<BindingView>
}

type Init = { method?: string; headers?: Record<string, string>; body?: string }

/** By default each call reads the current `globalThis.fetch`, because pages and developer tools may replace it. */
export function createClient(
  page: ClientOptions,
  fetch: typeof globalThis.fetch = (...args) => globalThis.fetch(...args),
  random = Math.random,
): Client {
  const send = createSend(fetch)
  const token = createTokenSource(page, send)
  /**
   * The user's opaque id from the last response (header `Bind-User`), and the value of the page's `token` for that
   * request.
   */
  let knownUser: string | null = null
  let userToken: string | undefined
  /** From the header `Bind-Reconnect`: a server with many pages asks them not to return at the same moment. */
  let reconnectMs = 0

  /**
   * Sends one request with the token `bearer`. `pageToken` is the value of the page's `token` at the start of the
   * request.
   */
  async function sendWith(bearer: string, pageToken: string, path: string, init: RequestInit): Promise<unknown> {
    // `server` may contain a path, or consist of a path only. For `https://example.com/bind` the API's paths start with
    // `/bind/widget/`.
    const url = `${(page.server ?? '').replace(/\/+$/, '')}/widget/${path}`
    const headers = { ...init.headers, Authorization: `Bearer ${bearer}`, 'Accept-Language': page.language }
    const answer = await send(url, { ...init, headers, credentials: 'omit' }, 'add this origin to ALLOWED_ORIGINS')
    const userId = answer.headers.get('Bind-User') ?? knownUser
    const isOtherUser = knownUser && knownUser !== userId && path !== 'qrcode'
    knownUser = userId
    userToken = pageToken
    // A server that stops or has just started counts few pages, so a smaller value does not replace a larger one.
    reconnectMs = Math.max(reconnectMs, Number(answer.headers.get('Bind-Reconnect')) * 1000 || 0)
    if (isOtherUser) throw new BindError('OTHER_USER', 'The token belongs to another user')
    return parseResponse(answer)
  }

  function request(path: string, signal: AbortSignal, init: Init = {}, timeoutMs = REQUEST_TIMEOUT_MS) {
    return withTimeout(timeoutMs, signal, async (signal) => {
      const pageToken = page.token
      const bearer = await token(signal)
      if (!bearer) throw new BindError('NO_TOKEN', 'Set token, token-url or getToken')
      try {
        return await sendWith(bearer, pageToken, path, { ...init, signal })
      } catch (error) {
        const renewed = error instanceof BindError && isTokenError(error) && (await token(signal, bearer))
        if (!renewed) throw error
        return sendWith(renewed, pageToken, path, { ...init, signal })
      }
    })
  }

  const post = (path: string, body: object, signal: AbortSignal) =>
    request(path, signal, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(body),
    })

  return {
    createQrcode: async (refresh, signal) => parseQrcode(await post('qrcode', { refresh }, signal)),

    look: async (signal) => parseBinding(await request('binding', signal)),

    waitPast: (version, signal) => {
      // The first request with a new token does not wait. The token may belong to another user, whose binding may have
      // the same version.
      const isKnownToken = (userToken ?? page.token) === page.token
      const headers = { 'If-None-Match': `"${version}"`, Prefer: `wait=${POLL_WAIT_SECONDS}` }
      return sharedPoll(isKnownToken ? knownUser : null, version, signal, async (signal) => {
        const poll = request('binding', signal, isKnownToken ? { headers } : {}, POLL_TIMEOUT_MS)
        const answer = await poll.catch((error: BindError) => {
          // BAD_RESPONSE: a proxy answers for a server that does not run.
          const isLost = error.code === 'NETWORK' || (error.code === 'BAD_RESPONSE' && error.retryable)
          throw isLost ? Object.assign(error, { retryAfterMs: random() * reconnectMs }) : error
        })
        return answer === null ? null : parseBinding(answer)
      })
    },

    confirm: async (code, signal) => parseBinding(await post('confirm', { code }, signal)),

    unbind: async (signal) => parseBinding(await request('binding', signal, { method: 'DELETE' })),

    authorize: async (page, signal) => parseUrl(await post('oauth', { return: page }, signal)),

    prove: async (proof, signal) => parseBinding(await post('oauth/confirm', { proof }, signal)),
  }
}

/** Rejects a response that contains no binding. A proxy may answer with status 200 and a body of its own. */
function parseBinding(answer: unknown): BindingView {
  const view = answer as Partial<BindingView>
  if (view.version !== undefined && (view.state === 'bound' ? view.boundAt : view.state)) return view as BindingView
  throw new BindError('BAD_RESPONSE', 'The response is not a binding')
}

function parseQrcode(answer: unknown): QrcodeView {
  const view = parseBinding(answer) as QrcodeView
  if (view.state !== 'unbound' || (view.qr?.path && view.expiresIn >= 0)) return view
  throw new BindError('BAD_RESPONSE', 'The response is not a QR code')
}

function parseUrl(answer: unknown): string {
  const { url } = answer as Partial<OauthView>
  // The browser opens this URL, so a `javascript:` URL must not pass.
  if (url && /^https?:/.test(url)) return url
  throw new BindError('BAD_RESPONSE', 'The response is not a URL')
}
