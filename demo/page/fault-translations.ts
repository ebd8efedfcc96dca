/** Translates the reasons of failures in the traffic log. Codes are not translated. */
import type { Language } from './settings.ts'

type Translation = [english: RegExp, zhCN: string, zhTW: string]

const translations: Translation[] = [
  [/^HTTP status (\d+)(?:, not 200)?$/, 'HTTP 状态码 $1', 'HTTP 狀態碼 $1'],
  [/^no answer within 5 s$/, '5 秒内没有响应', '5 秒內沒有回應'],
  [/^no (?:connection|answer)$/, '无法连接', '無法連線'],
  [/^dropped before the delivery$/, '投递途中丢失', '傳送途中遺失'],
  [
    /^Token验证失败: HTTP status (\d+), and the body is not exactly the echostr$/,
    'Token 验证失败：HTTP 状态码 $1，正文与 echostr 不一致',
    'Token 驗證失敗：HTTP 狀態碼 $1，內文與 echostr 不一致',
  ],
  [
    /^the body is not XML, "success" or empty$/,
    '正文既不是 success 或空，也不是 XML',
    '內文既不是 success 或空，也不是 XML',
  ],
  [
    /^the reply is not encrypted, but the account uses secure mode$/,
    '账号使用安全模式，但回复未加密',
    '帳號使用安全模式，但回覆未加密',
  ],
  [
    /^the reply is encrypted, but the account uses plain mode$/,
    '账号使用明文模式，但回复已加密',
    '帳號使用明文模式，但回覆已加密',
  ],
  [/^TimeStamp is not a number$/, 'TimeStamp 不是数字', 'TimeStamp 不是數字'],
  [/^Nonce is missing$/, '缺少 Nonce', '缺少 Nonce'],
  [/^MsgSignature is wrong$/, 'MsgSignature 不正确', 'MsgSignature 不正確'],
  [
    /^Encrypt cannot be decrypted with the EncodingAESKey and the appid$/,
    '无法用 EncodingAESKey 和 appid 解密 Encrypt',
    '無法用 EncodingAESKey 和 appid 解密 Encrypt',
  ],
  [/^the message is not XML$/, '消息不是 XML', '訊息不是 XML'],
  [/^ToUserName is not the openid of the sender$/, 'ToUserName 不是发送者的 openid', 'ToUserName 不是傳送者的 openid'],
  [/^FromUserName is not the account's id$/, 'FromUserName 不是公众号的 ID', 'FromUserName 不是公眾號的 ID'],
  [/^CreateTime is not in Unix seconds$/, 'CreateTime 不是 Unix 秒', 'CreateTime 不是 Unix 秒'],
  [/^MsgType is not text$/, 'MsgType 不是 text', 'MsgType 不是 text'],
  [/^Content is empty$/, 'Content 为空', 'Content 為空'],
  [/^Content exceeds (\d+) bytes$/, 'Content 超过 $1 字节', 'Content 超過 $1 位元組'],
]

/** Returns the translated reason. If there is no translation, returns the reason unchanged. */
export function translateFault(fault: string, lang: Language): string {
  const found = translations.find(([english]) => english.test(fault))
  if (!found || lang === 'en') return fault
  const [english, zhCN, zhTW] = found
  return fault.replace(english, lang === 'zh-TW' ? zhTW : zhCN)
}
