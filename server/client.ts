/** What a product's back end calls: the encrypted API and the widget token, in Node and other runtimes. */
import { Webhook } from 'standardwebhooks'
import { BindError, type ErrorCode, errorCodes } from './errors.ts'
import { openEnvelope, sealEnvelope } from './keys/envelope.ts'
import { sealToken, type TokenRequest } from './keys/widget-token.ts'
import type { WebhookPayload } from './wire.ts'

export { BindError } from './errors.ts'
export type { TokenRequest } from './keys/widget-token.ts'
export type { WebhookPayload } from './wire.ts'

export type BindClientOptions = {
  /** The bind server's URL, e.g. `https://bind.example`. */
  server: string
  /** The key's id, as in `BIND_KEYS`. */
  keyId: string
  /** The 32-byte secret, base64url as in `BIND_KEYS`, or as bytes. */
  key: string | Uint8Array
  /** What `WEBHOOK_SECRET` holds (`whsec_...`); only `verifyWebhook` needs it. */
  webhookSecret?: string
  fetch?: typeof fetch
  clock?: () => number
  /** How long one try may take, ms. Default 6000: the server itself answers within 5 s. */
  timeoutMs?: number
}

/** Who is asked about; opaque ids of 1 to 128 characters. */
export type Subject = { account: string; userId: string }

export type QrCode = {
  /** WeChat's ticket. */
  Ticket: string
  /** What the QR encodes. */
  Url: string
  /** WeChat's picture of it. */
  ImageUrl: string
  /** Unix seconds. */
  ExpiresAt: number
  /** Seconds left. */
  ExpireSeconds: number
}

export type BindInfo = {
  IsBound: boolean
  OpenId: string | null
  UnionId: string | null
  AppId: string
  IsSubscribed: boolean
  /** Unix seconds. */
  BoundAt: number | null
  Version: number
}

export type BindClient = {
  /** A QR for the user; the live one unless `isRefresh`. Throws `RATE_LIMITED`, `WECHAT_*`. */
  getQrCode(subject: Subject & { isRefresh?: boolean; label?: string }): Promise<QrCode>
  getBindInfo(subject: Subject): Promise<BindInfo>
  /** Unbinds. Throws `NOT_BOUND` when there was nothing to undo. */
  disconnect(subject: Subject): Promise<{ Version: number }>
  /** A token for `<wechat-bind>`, made here: no call to the server. */
  mintToken(request: TokenRequest): Promise<string>
  /**
   * The payload of a webhook, once its signature and its stamp (within 5 minutes) hold. `body` is the raw text: parsed and
   * written again it would not verify. Deliveries may come twice: `Version` tells which you have seen. Throws `UNAUTHORIZED`.
   */
  verifyWebhook(body: string, headers: Headers | Record<string, string>): WebhookPayload
}

type ApiResult = { Success: boolean; Code: string; Message: string; Data: unknown }

// A read may be asked again: each try has a jti of its own. One more is enough for a server that restarts.
const TRIES = 2

export function createBindClient(options: BindClientOptions): BindClient {
  const { keyId, timeoutMs = 6_000, clock = Date.now } = options
  const send = options.fetch ?? fetch
  const secret = toSecret(options.key)
  const base = new URL(options.server)

  async function request(call: string, plaintext: object): Promise<unknown> {
    const path = `/api/WeChat/${call}`
    const jti = crypto.randomUUID()
    // Behind a prefix the server may see another path than we: then it is left out.
    const Path = base.pathname === '/' ? path : undefined
    const body = await sealEnvelope(
      { ...plaintext, Date: Math.floor(clock() / 1000), Path },
      { kid: keyId, jti },
      secret,
    )
    const { response, text } = await post(path, body).catch((cause) => {
      throw new BindError('UNREACHABLE', `The bind server at ${base.origin} did not answer.`, {
        cause,
      })
    })
    return toData(await openReply(response, text, jti), response.headers)
  }

  /** The whole answer: a line that dies halfway is as good as none. */
  async function post(path: string, body: string): Promise<{ response: Response; text: string }> {
    const headers = { 'Content-Type': 'application/jose' }
    const signal = AbortSignal.timeout(timeoutMs)
    const response = await send(new URL(base.pathname.replace(/\/$/, '') + path, base), {
      method: 'POST',
      headers,
      body,
      signal,
    })
    return { response, text: await response.text() }
  }

  async function openReply(response: Response, text: string, jti: string): Promise<ApiResult> {
    if (response.status === 401)
      throw new BindError('UNAUTHORIZED', 'The bind server does not know this key: check keyId and key.')
    if (response.status === 413)
      throw new BindError('TOO_LARGE', 'The request is larger than the bind server takes: shorten Label.')
    const { text: plaintext, header } = await openEnvelope(text, undefined, () => ({ secret })).catch((cause) => {
      throw new BindError('UNREACHABLE', `The bind server answered HTTP ${response.status} and no envelope.`, { cause })
    })
    if (header.req !== jti) throw new BindError('UNAUTHORIZED', 'The reply belongs to another request.')
    return JSON.parse(plaintext)
  }

  async function call(name: string, plaintext: object): Promise<unknown> {
    for (let left = TRIES - 1; ; left--) {
      try {
        return await request(name, plaintext)
      } catch (error) {
        if (left === 0 || !(error instanceof BindError) || error.code !== 'UNREACHABLE') throw error
      }
    }
  }

  const toIds = ({ account: Account, userId: User_ID }: Subject) => ({ Account, User_ID })

  return {
    getQrCode: ({ isRefresh: IsRefresh, label: Label, ...subject }) =>
      call('GetQrCode', { ...toIds(subject), Action: 'Get', IsRefresh, Label }) as Promise<QrCode>,
    getBindInfo: (subject) => call('GetBindInfo', { ...toIds(subject), Action: 'Get' }) as Promise<BindInfo>,
    disconnect: (subject) =>
      request('Disconnect', { ...toIds(subject), Action: 'Update' }) as Promise<{ Version: number }>,
    mintToken: (token) => sealToken(token, keyId, secret, clock()),
    verifyWebhook: (body, headers) => verifyWebhook(options.webhookSecret, body, headers),
  }
}

function verifyWebhook(
  secret: string | undefined,
  body: string,
  headers: Headers | Record<string, string>,
): WebhookPayload {
  if (!secret) throw new TypeError('verifyWebhook needs webhookSecret: give it to createBindClient')
  try {
    const plain = headers instanceof Headers ? Object.fromEntries(headers) : headers
    return new Webhook(secret).verify(body, plain) as WebhookPayload
  } catch (cause) {
    throw new BindError('UNAUTHORIZED', 'The webhook is not one that the bind server signed with this secret.', {
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
