/** Why something on the wire failed, in the page's language. Codes are the same in all of them, and stay as they are. */
import type { Language } from './settings.ts'

type Words = [english: RegExp, zhCN: string, zhTW: string]

const words: Words[] = [
  [/^HTTP status (\d+)(?:, not 200)?$/, 'HTTP 状态码 $1', 'HTTP 狀態碼 $1'],
  [/^no answer within 5 s$/, '5 秒内没有应答', '5 秒內沒有回應'],
  [/^no (?:connection|answer)$/, '连接不上', '無法連線'],
  [/^dropped on its way$/, '在途中丢失', '在途中遺失'],
  [
    /^Token验证失败: HTTP status (\d+), and the body is not the echostr, byte for byte$/,
    'Token 验证失败：HTTP 状态码 $1，正文与 echostr 不是逐字节相同',
    'Token 驗證失敗：HTTP 狀態碼 $1，內文與 echostr 不是逐位元組相同',
  ],
  [
    /^neither "success", nor empty, nor XML$/,
    '既不是 success，也不为空，也不是 XML',
    '既不是 success，也不為空，也不是 XML',
  ],
  [/^not encrypted, in secure mode$/, '安全模式下未加密', '安全模式下未加密'],
  [/^encrypted, in plain mode$/, '明文模式下却已加密', '明文模式下卻已加密'],
  [/^TimeStamp is not a number$/, 'TimeStamp 不是数字', 'TimeStamp 不是數字'],
  [/^Nonce is missing$/, '缺少 Nonce', '缺少 Nonce'],
  [/^MsgSignature is wrong$/, 'MsgSignature 不正确', 'MsgSignature 不正確'],
  [
    /^Encrypt does not open with the EncodingAESKey and the appid$/,
    '用 EncodingAESKey 与 appid 无法解开 Encrypt',
    '用 EncodingAESKey 與 appid 無法解開 Encrypt',
  ],
  [/^the message is not XML$/, '消息不是 XML', '訊息不是 XML'],
  [
    /^ToUserName is not the openid that the message came from$/,
    'ToUserName 不是来信者的 openid',
    'ToUserName 不是來信者的 openid',
  ],
  [/^FromUserName is not the account's id$/, 'FromUserName 不是公众号的 ID', 'FromUserName 不是公眾號的 ID'],
  [/^CreateTime is not in Unix seconds$/, 'CreateTime 不是 Unix 秒', 'CreateTime 不是 Unix 秒'],
  [/^MsgType is not text$/, 'MsgType 不是 text', 'MsgType 不是 text'],
  [/^Content is empty$/, 'Content 为空', 'Content 為空'],
  [/^Content exceeds (\d+) bytes$/, 'Content 超过 $1 字节', 'Content 超過 $1 位元組'],
]

/** The reason in words of the language, where there are any. */
export function toFaultWords(fault: string, lang: Language): string {
  const found = words.find(([english]) => english.test(fault))
  if (!found || lang === 'en') return fault
  const [english, zhCN, zhTW] = found
  return fault.replace(english, lang === 'zh-TW' ? zhTW : zhCN)
}
