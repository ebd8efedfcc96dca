/** Interprets a callback's response as WeChat does: no message, a text for the chat, or a fault. */

import { equalInConstantTime } from '../../server/crypto.ts'
import { createCrypt } from '../../server/wechat/crypt.ts'
import { signatureOf } from '../../server/wechat/signature.ts'
import { NOT_XML, parseXml } from '../../server/wechat/xml.ts'
import type { Account } from './account.ts'

export type Reply =
  | { kind: 'silent' }
  /** `xml`: the decrypted reply. */
  | { kind: 'text'; content: string; xml: string }
  /** `reason` is for developers. The chat displays the same notice for all faults. */
  | { kind: 'fault'; reason: string; xml?: string }

export type CallbackAnswer = { status: number; body: string }

// WeChat's limit for the Content of a text message, in bytes of UTF-8.
const MAX_CONTENT_BYTES = 2048

const fault = (reason: string, xml?: string): Reply => ({
  kind: 'fault',
  reason,
  ...(xml === undefined ? {} : { xml }),
})

export function openReply(account: Account, openid: string, { status, body }: CallbackAnswer): Reply {
  // Only status 200 is accepted. In an experiment, WeChat repeated the delivery after "success" with status 201, and
  // then displayed a fault.
  if (status !== 200) return fault(`HTTP status ${status}, not 200`)
  if (body === '' || body === 'success') return { kind: 'silent' }
  const outer = parseXml(body)
  if (!outer) return fault('the body is not XML, "success" or empty')
  if (outer.Encrypt === undefined) {
    return account.mode === 'secure'
      ? fault('the reply is not encrypted, but the account uses secure mode', body)
      : readText(account, openid, body)
  }
  if (account.mode === 'plain') return fault('the reply is encrypted, but the account uses plain mode')
  const xml = unseal(account, outer)
  return typeof xml === 'string' ? readText(account, openid, xml) : xml
}

function unseal(account: Account, outer: Record<string, string>): string | Reply {
  const { Encrypt = '', MsgSignature = '', TimeStamp = '', Nonce = '' } = outer
  if (!/^\d+$/.test(TimeStamp)) return fault('TimeStamp is not a number')
  if (Nonce === '') return fault('Nonce is missing')
  if (!equalInConstantTime(MsgSignature, signatureOf(account.token, TimeStamp, Nonce, Encrypt))) {
    return fault('MsgSignature is wrong')
  }
  try {
    return createCrypt(account.encodingAesKey, account.appId).decrypt(Encrypt)
  } catch {
    return fault('Encrypt cannot be decrypted with the EncodingAESKey and the appid')
  }
}

function readText({ originalId }: Account, openid: string, xml: string): Reply {
  // The XML parser accepts these characters. WeChat does not.
  const fields = NOT_XML.test(xml) ? undefined : parseXml(xml)
  if (!fields) return fault('the message is not XML', xml)
  const { ToUserName, FromUserName, CreateTime = '', MsgType, Content = '' } = fields
  if (ToUserName !== openid) return fault('ToUserName is not the openid of the sender', xml)
  if (FromUserName !== originalId) return fault("FromUserName is not the account's id", xml)
  if (!/^\d{1,10}$/.test(CreateTime)) return fault('CreateTime is not in Unix seconds', xml)
  if (MsgType !== 'text') return fault('MsgType is not text', xml)
  if (Content === '') return fault('Content is empty', xml)
  if (Buffer.byteLength(Content) > MAX_CONTENT_BYTES) return fault(`Content exceeds ${MAX_CONTENT_BYTES} bytes`, xml)
  return { kind: 'text', content: Content, xml }
}
