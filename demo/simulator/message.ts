/** What WeChat sends to a callback URL: the message's XML, sealed by the account's mode, and the signed query. */
import { createCrypt } from '../../server/wechat/crypt.ts'
import { signatureOf } from '../../server/wechat/signature.ts'
import type { Account, Random } from './account.ts'

/** The elements of a message, in WeChat's order and spelling. */
export type MessageFields = { ToUserName: string; FromUserName: string; CreateTime: number; MsgType: string } & Record<
  string,
  string | number
>

export type Sealed = {
  query: Record<string, string>
  body: string
}

/** The line breaks between the elements are WeChat's own. */
export function toMessageXml(fields: Record<string, string | number>): string {
  return `<xml>${toElements(fields)}\n</xml>`
}

function toElements(fields: Record<string, string | number>): string {
  return Object.entries(fields)
    .map(([name, value]) => `<${name}>${typeof value === 'number' ? value : toCdata(value)}</${name}>`)
    .join('\n')
}

const toCdata = (text: string) => `<![CDATA[${text.replaceAll(']]>', ']]]]><![CDATA[>')}]]>`

/** Seals one delivery. Each try gets its own timestamp and nonce; the message inside stays the same. */
export function sealMessage(account: Account, fields: MessageFields, nowMs: number, random: Random): Sealed {
  const timestamp = String(Math.floor(nowMs / 1000))
  const nonce = toNonce(random)
  const query = { ...signQuery(account, timestamp, nonce), openid: fields.FromUserName }
  const xml = toMessageXml(fields)
  if (account.mode === 'plain') return { query, body: xml }

  // WeChat's 16 random bytes are lower-case hex characters.
  const hex16 = Buffer.from(random(8).toString('hex'))
  const Encrypt = createCrypt(account.encodingAesKey, account.appId).encrypt(xml, hex16)
  const visible = account.mode === 'compatible' ? fields : { ToUserName: fields.ToUserName }
  return {
    query: { ...query, encrypt_type: 'aes', msg_signature: signatureOf(account.token, timestamp, nonce, Encrypt) },
    body: toMessageXml({ ...visible, Encrypt }),
  }
}

/** The GET check of the console: `echostr` is plain and there is no `msg_signature`, in secure mode too. */
export function toEchoQuery(account: Account, nowMs: number, random: Random): Record<string, string> {
  // 19 digits, beyond 2^53 and odd, which no double is there: who parses it as a number answers something else.
  const echostr = String((9_007_199_254_740_993_000n + (random(8).readBigUInt64BE() % 100_000_000_000n)) | 1n)
  return { ...signQuery(account, String(Math.floor(nowMs / 1000)), toNonce(random)), echostr }
}

function signQuery({ token }: Account, timestamp: string, nonce: string) {
  return { signature: signatureOf(token, timestamp, nonce), timestamp, nonce }
}

const toNonce = (random: Random) => String(random(4).readUInt32BE())
