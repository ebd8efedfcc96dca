/** Verifies and decrypts a callback message, and encrypts its reply. The configuration alone decides which checks apply. */
import { hash } from 'node:crypto'
import { equalInConstantTime, takeRandom } from '../crypto.ts'
import { BindError } from '../errors.ts'
import type { Crypt } from './crypt.ts'
import { signatureOf } from './signature.ts'
import { parseXml, toXml } from './xml.ts'

/** The modes 明文模式, 兼容模式 and 安全模式 of WeChat's console. */
export type WechatMode = 'plain' | 'compatible' | 'secure'

export type CallbackSettings = {
  mode: WechatMode
  token: string
  /** The account's `gh_` id. When set, every message must be addressed to it. */
  originalId?: string | undefined
  /** One `Crypt` per configured key, newest first. During a rotation WeChat may still use the previous key. */
  crypts: Crypt[]
}

export type Fields = Record<string, string>

export type Message = {
  fields: Fields
  format: 'xml' | 'json'
  /** The `Crypt` that decrypted the message, which also encrypts the reply. Absent in plain mode. */
  crypt?: Crypt
  /** Plain mode only. The signature does not cover the body, so a nonce is accepted again only with the same body. */
  nonce?: Nonce
}

type Nonce = { key: string; bodyDigest: string }

// This window allows for a difference between the clocks, and for a redelivery, which has the timestamp of the first delivery. An
// older message is a replay.
const WINDOW_SECONDS = 300

/** WeChat sends decimal digits. Any base64 text is accepted, because a browser cannot render it as HTML. */
const ECHOSTR = /^[A-Za-z0-9+/=_-]{1,256}$/

/** The URL check of WeChat's console. Returns the `echostr`, which the server must answer unchanged. Throws `CALLBACK_REFUSED`. */
export function openEcho(settings: CallbackSettings, query: URLSearchParams, nowMs: number): string {
  verify(settings, query, 'signature', [], nowMs)
  const echostr = single(query, 'echostr')
  if (!ECHOSTR.test(echostr)) throw refused('echostr')
  return echostr
}

/** Authenticates and decrypts a delivery. Throws the same `CALLBACK_REFUSED` for every cause. */
export function openMessage(settings: CallbackSettings, query: URLSearchParams, body: string, nowMs: number): Message {
  const message =
    settings.mode === 'plain' ? openPlain(settings, query, body, nowMs) : openSealed(settings, query, body, nowMs)
  const { ToUserName } = message.fields
  if (settings.originalId !== undefined && ToUserName !== settings.originalId) throw refused('ToUserName')
  return message
}

function openPlain(settings: CallbackSettings, query: URLSearchParams, body: string, nowMs: number): Message {
  verify(settings, query, 'signature', [], nowMs)
  const nonce = {
    key: `${single(query, 'timestamp')}|nonce|${single(query, 'nonce')}`,
    bodyDigest: hash('sha256', body),
  }
  const { fields, format } = parseFields(body)
  // A body with only a ciphertext means that the console is set to 安全模式. In 兼容模式 the fields are sent beside the ciphertext.
  if (fields.Encrypt && !fields.MsgType) throw refused('ciphertext')
  return { fields, format, nonce }
}

function openSealed(settings: CallbackSettings, query: URLSearchParams, body: string, nowMs: number): Message {
  const { fields: outer, format } = parseFields(body)
  const { Encrypt } = outer
  if (!Encrypt) throw refused('plaintext')
  verify(settings, query, 'msg_signature', [Encrypt], nowMs)
  const { text, crypt } = decryptWithAny(settings.crypts, Encrypt)
  const inner = parseFields(text)
  if (outer.ToUserName !== inner.fields.ToUserName) throw refused('ToUserName')
  return { fields: inner.fields, format, crypt }
}

function verify(
  { token }: CallbackSettings,
  query: URLSearchParams,
  name: string,
  signed: string[],
  nowMs: number,
): void {
  const timestamp = single(query, 'timestamp')
  const expected = signatureOf(token, timestamp, single(query, 'nonce'), ...signed)
  if (!equalInConstantTime(expected, single(query, name))) throw refused(name)
  const age = Math.abs(nowMs / 1000 - Number(timestamp))
  if (!/^\d{1,12}$/.test(timestamp) || age > WINDOW_SECONDS) throw refused('timestamp')
}

function decryptWithAny(crypts: Crypt[], encrypted: string): { text: string; crypt: Crypt } {
  // The error is made only when it is needed, because its stack trace costs 30 us, a third of a callback.
  let fault: unknown
  for (const crypt of crypts) {
    try {
      return { text: crypt.decrypt(encrypted), crypt }
    } catch (error) {
      fault = error
    }
  }
  throw fault ?? refused('no key')
}

/** Parses XML, or JSON if the console is set to JSON. Every value is a string, because `MsgId` exceeds 2^53. */
function parseFields(text: string): { fields: Fields; format: Message['format'] } {
  const format = text.trimStart().startsWith('{') ? 'json' : 'xml'
  const fields = format === 'json' ? parseJson(text) : parseXml(text)
  if (fields === undefined) throw refused(format)
  return { fields, format }
}

// `source` is the text of the number. TypeScript does not declare the third argument yet (ECMAScript 2026).
const numbersAsText = (_: string, value: unknown, context: { source?: string }) =>
  typeof value === 'number' ? context.source : value

function parseJson(text: string): Fields | undefined {
  try {
    const value: unknown = JSON.parse(text, numbersAsText as (key: string, value: unknown) => unknown)
    const fields = Object.entries(value as object).filter(([, field]) => typeof field === 'string')
    // WeChat's own samples have names such as " OpenID".
    return Object.fromEntries(fields.map(([name, field]) => [name.trim(), field]))
  } catch {
    return undefined
  }
}

/**
 * A passive text reply with sender and receiver swapped. The reply has the format of the message, and is encrypted if the message
 * was encrypted.
 */
export function sealReply(settings: CallbackSettings, message: Message, content: string, nowMs: number): string {
  const { FromUserName = '', ToUserName = '' } = message.fields
  const seconds = Math.floor(nowMs / 1000)
  const write = message.format === 'json' ? JSON.stringify : toXml
  const text = write({
    ToUserName: FromUserName,
    FromUserName: ToUserName,
    CreateTime: seconds,
    MsgType: 'text',
    Content: content,
  })
  if (!message.crypt) return text
  const Encrypt = message.crypt.encrypt(text)
  const Nonce = takeRandom(8).toString('hex')
  const MsgSignature = signatureOf(settings.token, String(seconds), Nonce, Encrypt)
  return write({ Encrypt, MsgSignature, TimeStamp: seconds, Nonce })
}

/** A repeated parameter is refused, because a proxy may read another of its values than this server. */
function single(query: URLSearchParams, name: string): string {
  const [value, ...more] = query.getAll(name)
  if (value === undefined || more.length > 0) throw refused(name)
  return value
}

function refused(cause: string): BindError {
  return new BindError('CALLBACK_REFUSED', 'The callback has no valid signature for this server.', { cause })
}
