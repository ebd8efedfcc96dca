/** A callback message: verified and opened, and its reply sealed. What is checked is set by the configuration, never by the request. */
import { hash } from 'node:crypto'
import { equalInConstantTime, takeRandom } from '../crypto.ts'
import { BindError } from '../errors.ts'
import type { Crypt } from './crypt.ts'
import { signatureOf } from './signature.ts'
import { parseXml, toXml } from './xml.ts'

/** 明文模式, 兼容模式, 安全模式 of WeChat's console. */
export type WechatMode = 'plain' | 'compatible' | 'secure'

export type CallbackSettings = {
  mode: WechatMode
  token: string
  /** The account's `gh_` id; when set, every message must be addressed to it. */
  originalId?: string | undefined
  /** The configured keys, newest first; a message may still come under the previous one during a rotation. */
  crypts: Crypt[]
}

/** The query of a callback: each name with all of its values, so that a repeated one shows. */
export type Query = Record<string, string[]>

export type Fields = Record<string, string>

export type Message = {
  fields: Fields
  format: 'xml' | 'json'
  /** The key that opened it; its reply is sealed with the same one. Absent in plain mode. */
  crypt?: Crypt
  /** Plain mode: the signature says nothing of the body, so a nonce may come again with the same body only. */
  nonce?: Nonce
}

export type Nonce = { key: string; bodyDigest: string }

// WeChat's clock and ours may differ, and a retry may bear the stamp of the first try; more is a replay.
const WINDOW_SECONDS = 300

/** `echostr` as WeChat sends it: decimal digits, but any base64 text is let through; nothing that a browser would render. */
const ECHOSTR = /^[A-Za-z0-9+/=_-]{1,256}$/

/** The URL check of WeChat's console: the `echostr` to answer unchanged. Throws `CALLBACK_REFUSED`. */
export function openEcho(settings: CallbackSettings, query: Query, nowMs: number): string {
  verify(settings, query, 'signature', [], nowMs)
  const echostr = single(query, 'echostr')
  if (!ECHOSTR.test(echostr)) throw refused('echostr')
  return echostr
}

/** A delivery, authenticated and decrypted. Throws `CALLBACK_REFUSED`, the same for every cause. */
export function openMessage(settings: CallbackSettings, query: Query, body: string, nowMs: number): Message {
  const message =
    settings.mode === 'plain' ? openPlain(settings, query, body, nowMs) : openSealed(settings, query, body, nowMs)
  const { ToUserName } = message.fields
  if (settings.originalId !== undefined && ToUserName !== settings.originalId) throw refused('ToUserName')
  return message
}

function openPlain(settings: CallbackSettings, query: Query, body: string, nowMs: number): Message {
  verify(settings, query, 'signature', [], nowMs)
  const nonce = {
    key: `${single(query, 'timestamp')}|nonce|${single(query, 'nonce')}`,
    bodyDigest: hash('sha256', body),
  }
  return { ...parseFields(body), nonce }
}

function openSealed(settings: CallbackSettings, query: Query, body: string, nowMs: number): Message {
  const { fields: outer, format } = parseFields(body)
  const { Encrypt } = outer
  if (!Encrypt) throw refused('plaintext')
  verify(settings, query, 'msg_signature', [Encrypt], nowMs)
  const { text, crypt } = decryptWithAny(settings.crypts, Encrypt)
  const inner = parseFields(text)
  if (outer.ToUserName !== inner.fields.ToUserName) throw refused('ToUserName')
  return { fields: inner.fields, format, crypt }
}

function verify({ token }: CallbackSettings, query: Query, name: string, signed: string[], nowMs: number): void {
  const timestamp = single(query, 'timestamp')
  const expected = signatureOf(token, timestamp, single(query, 'nonce'), ...signed)
  if (!equalInConstantTime(expected, single(query, name))) throw refused(name)
  const age = Math.abs(nowMs / 1000 - Number(timestamp))
  if (!/^\d{1,12}$/.test(timestamp) || age > WINDOW_SECONDS) throw refused('timestamp')
}

function decryptWithAny(crypts: Crypt[], encrypted: string): { text: string; crypt: Crypt } {
  for (const crypt of crypts) {
    try {
      return { text: crypt.decrypt(encrypted), crypt }
    } catch (error) {
      if (crypt === crypts.at(-1)) throw error
    }
  }
  throw refused('no key')
}

/** XML, or JSON where the account's console says so; every value a string, since `MsgId` exceeds 2^53. */
function parseFields(text: string): { fields: Fields; format: Message['format'] } {
  const format = text.trimStart().startsWith('{') ? 'json' : 'xml'
  const fields = format === 'json' ? parseJson(text) : parseXml(text)
  if (fields === undefined) throw refused(format)
  return { fields, format }
}

// `source`: the number as written; TypeScript does not know the third argument yet (ECMAScript 2026).
const exactly = (_: string, value: unknown, context?: { source?: string }) =>
  typeof value === 'number' ? context?.source : value

function parseJson(text: string): Fields | undefined {
  try {
    const value: unknown = JSON.parse(text, exactly as (key: string, value: unknown) => unknown)
    return Object.fromEntries(Object.entries(value as object).filter(([, field]) => typeof field === 'string'))
  } catch {
    return undefined
  }
}

/** A passive text reply, from and to swapped, sealed as the message was. */
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

function single(query: Query, name: string): string {
  const [value, ...more] = query[name] ?? []
  if (value === undefined || more.length > 0) throw refused(name)
  return value
}

function refused(cause: string): BindError {
  return new BindError('CALLBACK_REFUSED', 'The callback is not one that WeChat signed for this server.', { cause })
}
