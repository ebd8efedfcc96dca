/** Builds WeChat's requests to a callback URL: the message's XML, encrypted according to the account's mode, and the signed query. */
import { createCrypt } from '../../server/wechat/crypt.ts'
import { signatureOf } from '../../server/wechat/signature.ts'
import type { Account, Random } from './account.ts'

/** The elements of a message, in WeChat's order. */
export type MessageFields = { ToUserName: string; FromUserName: string; CreateTime: number; MsgType: string } & Record<
  string,
  string | number
>

export type Sealed = {
  query: Record<string, string>
  body: string
}

/** WeChat separates the elements by line breaks. */
export function toMessageXml(fields: Record<string, string | number>): string {
  return `<xml>${toElements(fields)}\n</xml>`
}

function toElements(fields: Record<string, string | number>): string {
  return Object.entries(fields)
    .map(([name, value]) => `<${name}>${typeof value === 'number' ? value : toCdata(value)}</${name}>`)
    .join('\n')
}

const toCdata = (text: string) => `<![CDATA[${text.replaceAll(']]>', ']]]]><![CDATA[>')}]]>`

/**
 * Encrypts and signs the request of one attempt. Each attempt has its own timestamp and nonce. The message stays the
 * same.
 */
export function sealMessage(account: Account, fields: MessageFields, nowMs: number, random: Random): Sealed {
  const timestamp = String(Math.floor(nowMs / 1000))
  const nonce = toNonce(random)
  const query = { ...signQuery(account, timestamp, nonce), openid: fields.FromUserName }
  const xml = toMessageXml(fields)
  if (account.mode === 'plain') return { query, body: xml }

  // WeChat's 16 random bytes are always lower-case hex characters.
  const hex16 = Buffer.from(random(8).toString('hex'))
  const Encrypt = createCrypt(account.encodingAesKey, account.appId).encrypt(xml, hex16)
  const visible = account.mode === 'compatible' ? fields : { ToUserName: fields.ToUserName }
  return {
    query: { ...query, encrypt_type: 'aes', msg_signature: signatureOf(account.token, timestamp, nonce, Encrypt) },
    body: toMessageXml({ ...visible, Encrypt }),
  }
}

/**
 * Returns the query of the console's GET check. Even in secure mode, `echostr` is not encrypted and there is no
 * `msg_signature`.
 */
export function toEchoQuery(account: Account, nowMs: number, random: Random): Record<string, string> {
  // An odd number above 2^53, which a JavaScript number cannot represent. The check therefore detects a server that
  // parses the echostr as a number.
  const echostr = String((9_007_199_254_740_993_000n + (random(8).readBigUInt64BE() % 100_000_000_000n)) | 1n)
  return { ...signQuery(account, String(Math.floor(nowMs / 1000)), toNonce(random)), echostr }
}

function signQuery({ token }: Account, timestamp: string, nonce: string) {
  return { signature: signatureOf(token, timestamp, nonce), timestamp, nonce }
}

const toNonce = (random: Random) => String(random(4).readUInt32BE())
