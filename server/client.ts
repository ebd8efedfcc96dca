/** The client for the back end of your site: encrypted API, widget token and webhook, on Node and other runtimes. */
import { Webhook } from 'standardwebhooks'
import {
  type BindInfo,
  type BindItem,
  type BindingEvent,
  type BindingFilter,
  type EventsOptions,
  type ListedBinding,
  listBindings,
  type RequestLimits,
  readEvents,
  type Subject,
  toIds,
} from './api/client-iterators.ts'
import { BindError, type ErrorCode, errorCodes } from './errors.ts'
import { openEnvelope, sealEnvelope } from './keys/envelope.ts'
import { sealToken, type TokenRequest } from './keys/seal-token.ts'
import { readCapped } from './platform.ts'
import type { WebhookPayload } from './wire.ts'

export type { BindInfo, BindItem, BindingEvent, BindingFilter, EventsOptions, Subject } from './api/client-iterators.ts'
export { BindError } from './errors.ts'
export type { TokenRequest } from './keys/seal-token.ts'
export type { WebhookPayload } from './wire.ts'

export type BindClientOptions = {
  /** The bind server's URL, e.g. `https://bind.example`. */
  server: string
  /** The key's id, as in `BIND_KEYS`. */
  keyId: string
  /** The 32-byte secret, base64url as in `BIND_KEYS`, or as bytes. */
  key: string | Uint8Array
  /** The value of `WEBHOOK_SECRET` (`whsec_...`), which only `verifyWebhook` needs. */
  webhookSecret?: string
  fetch?: typeof fetch
  clock?: () => number
  /** Timeout of one try in ms. The default is 6000, because the server answers within 5 s. */
  timeoutMs?: number
}

export type QrCode = {
  /** WeChat's ticket. */
  Ticket: string
  /** The text of the QR code. */
  Url: string
  /** WeChat's image of the QR code. */
  ImageUrl: string
  /** Unix seconds. */
  ExpiresAt: number
  /** Seconds left. */
  ExpireSeconds: number
}

export type BindClient = {
  /** Returns the user's current QR code, or a new one with `isRefresh`. Throws `RATE_LIMITED`, `WECHAT_*`. */
  getQrCode(subject: Subject & { isRefresh?: boolean; label?: string }): Promise<QrCode>
  getBindInfo(subject: Subject): Promise<BindInfo>
  /** Removes the binding. Throws `NOT_BOUND` when the user has no WeChat account bound. */
  disconnect(subject: Subject): Promise<{ Version: number }>
  /** Returns an item for each user, in the same order. At most 100 users are allowed. */
  getBindInfos(subjects: Subject[]): Promise<BindItem[]>
  /**
   * Iterates over all bindings of the tenant, or over the bindings that match the filter. A binding that exists during the whole
   * iteration is returned exactly once.
   */
  listBindings(filter?: BindingFilter): AsyncGenerator<ListedBinding, void>
  /**
   * Returns the stored events, oldest first, and then waits for new ones. Throws after a network error: call `events` again with
   * `after`. An event may be returned twice. Throws `EVENTS_GONE` if events after `after` have expired: list the bindings again.
   */
  events(options?: EventsOptions): AsyncGenerator<BindingEvent, void>
  /** Deletes all stored data of the user. Succeeds for an unknown user, too. */
  eraseUser(subject: Subject): Promise<{ Erased: true }>
  /** Returns all stored data of the user, as JSON that a person can read. */
  exportUser(subject: Subject): Promise<Record<string, unknown>>
  /** Makes a token for `<wechat-bind>` locally, without a call to the server. */
  mintToken(request: TokenRequest): Promise<string>
  /**
   * Verifies the signature and the timestamp (within 5 minutes) of a webhook and returns its payload. `body` must be the
   * raw text, because JSON that was parsed and serialized again does not match the signature. A delivery may arrive twice, so
   * compare `Version`. Throws `UNAUTHORIZED`.
   */
  verifyWebhook(body: string, headers: Headers | Record<string, string>): WebhookPayload
}

type ApiResult = { Success: boolean; Code: string; Message: string; Data: unknown }

// The longest reply that the client reads. The replies of the bind server are shorter. The limit protects the client from a wrong
// address that never stops sending.
const MAX_ANSWER = 8 * 1024 * 1024

// Reads are tried twice, each time with a new jti. The second try covers the restart of a server.
const TRIES = 2

export function createBindClient(options: BindClientOptions): BindClient {
  const { keyId, timeoutMs = 6_000, clock = Date.now } = options
  const send = options.fetch ?? fetch
  const secret = toSecret(options.key)
  const base = new URL(options.server)

  async function request(call: string, plaintext: object, limits: RequestLimits = {}): Promise<unknown> {
    const path = `/api/WeChat/${call}`
    const jti = crypto.randomUUID()
    // A proxy that strips a prefix changes the path that the server sees, so Path is left out when `server` has a path.
    const Path = base.pathname === '/' ? path : undefined
    const body = await sealEnvelope(
      { ...plaintext, Date: Math.floor(clock() / 1000), Path },
      { kid: keyId, jti },
      secret,
    )
    const { response, text } = await post(path, body, limits).catch((cause) => {
      limits.signal?.throwIfAborted()
      throw new BindError('UNREACHABLE', `The bind server at ${base.origin} did not answer.`, {
        cause,
      })
    })
    return toData(await openReply(response, text, jti), response.headers)
  }

  /**
   * Reads the whole answer within the timeout, so a connection lost in the middle counts as no answer. Does not follow a redirect,
   * because the encrypted request must go to `server` only. `redirect: 'error'` would hide the status, and Cloudflare's runtime
   * refuses it.
   */
  async function post(path: string, body: string, { signal: abort, waitMs = 0 }: RequestLimits) {
    const headers = { 'Content-Type': 'application/jose' }
    const timeout = AbortSignal.timeout(timeoutMs + waitMs)
    const signal = abort ? AbortSignal.any([abort, timeout]) : timeout
    const response = await send(new URL(base.pathname.replace(/\/$/, '') + path, base), {
      method: 'POST',
      headers,
      body,
      redirect: 'manual',
      signal,
    })
    return { response, text: new TextDecoder().decode(await readCapped(response, MAX_ANSWER)) }
  }

  async function openReply(response: Response, text: string, jti: string): Promise<ApiResult> {
    if (response.status === 401)
      throw new BindError('UNAUTHORIZED', 'The bind server does not accept this key: check keyId and key.')
    if (response.status === 413)
      throw new BindError(
        'TOO_LARGE',
        'The request is larger than the bind server accepts: shorten Label, or name fewer users.',
      )
    const { text: plaintext, header } = await openEnvelope(text, undefined, () => ({ secret })).catch((cause) => {
      throw new BindError(
        'UNREACHABLE',
        `The bind server answered HTTP ${response.status} without an encrypted reply.`,
        {
          cause,
        },
      )
    })
    if (header.req !== jti) throw new BindError('UNAUTHORIZED', 'The reply belongs to another request.')
    return JSON.parse(plaintext)
  }

  async function call(name: string, plaintext: object, limits?: RequestLimits): Promise<unknown> {
    for (let left = TRIES - 1; ; left--) {
      try {
        return await request(name, plaintext, limits)
      } catch (error) {
        if (left === 0 || !(error instanceof BindError) || error.code !== 'UNREACHABLE') throw error
      }
    }
  }

  return {
    getQrCode: ({ isRefresh: IsRefresh, label: Label, ...subject }) =>
      call('GetQrCode', { ...toIds(subject), Action: 'Get', IsRefresh, Label }) as Promise<QrCode>,
    getBindInfo: (subject) => call('GetBindInfo', { ...toIds(subject), Action: 'Get' }) as Promise<BindInfo>,
    disconnect: (subject) =>
      request('Disconnect', { ...toIds(subject), Action: 'Update' }) as Promise<{ Version: number }>,
    async getBindInfos(subjects) {
      const { Items } = (await call('GetBindInfos', { Users: subjects.map(toIds), Action: 'Get' })) as {
        Items: BindItem[]
      }
      return Items
    },
    listBindings: (filter) => listBindings(call, filter),
    events: (options) => readEvents(call, options),
    eraseUser: (subject) => call('EraseUser', { ...toIds(subject), Action: 'Update' }) as Promise<{ Erased: true }>,
    exportUser: (subject) =>
      call('ExportUser', { ...toIds(subject), Action: 'Get' }) as Promise<Record<string, unknown>>,
    mintToken: (token) => sealToken(token, keyId, secret, clock()),
    verifyWebhook: (body, headers) => verifyWebhook(options.webhookSecret, body, headers),
  }
}

function verifyWebhook(
  secret: string | undefined,
  body: string,
  headers: Headers | Record<string, string>,
): WebhookPayload {
  if (!secret) throw new TypeError('verifyWebhook needs webhookSecret: pass it to createBindClient')
  try {
    const plain = headers instanceof Headers ? Object.fromEntries(headers) : headers
    return new Webhook(secret).verify(body, plain) as WebhookPayload
  } catch (cause) {
    throw new BindError('UNAUTHORIZED', 'The webhook was not signed by the bind server with this secret.', {
      cause,
    })
  }
}

function toData({ Success, Code, Message, Data }: ApiResult, headers: Headers): unknown {
  if (Success) return Data
  const code = Object.hasOwn(errorCodes, Code) ? (Code as ErrorCode) : 'INTERNAL'
  throw new BindError(code, Message, {
    retryAfterSeconds: toSeconds(headers.get('Retry-After')),
    requestId: headers.get('X-Request-Id') ?? undefined,
  })
}

const toSeconds = (header: string | null) => (header && /^\d+$/.test(header) ? Number(header) : undefined)

function toSecret(key: string | Uint8Array): Uint8Array {
  const isText = typeof key === 'string'
  if (isText && /^[\w-]{43}=?$/.test(key)) return fromBase64url(key)
  if (!isText && key.length === 32) return key
  const got = `${key.length} ${isText ? 'characters' : 'bytes'}`
  throw new TypeError(`key must be 32 bytes or 43 characters of base64url, got ${got}: copy it from BIND_KEYS`)
}

const fromBase64url = (text: string) =>
  Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (character) => character.charCodeAt(0))
