/** Reads the settings of the Official Account. */
import { CONSOLE } from '../wechat/console.ts'
import type { WechatMode } from '../wechat/message.ts'
import type { EnvReader } from './env-reader.ts'

export type WechatSettings = {
  appId: string
  appSecret: string
  token: string
  /** Newest first; empty in plain mode. */
  encodingAesKeys: string[]
  mode: WechatMode
  originalId: string | undefined
  apiBase: string
  accessTokenUrl: string | undefined
}

const PUBLIC_API = 'https://api.weixin.qq.com'

/** The settings that a call of WeChat's API needs. */
export function parseAccount(
  reader: EnvReader,
): Pick<WechatSettings, 'appId' | 'appSecret' | 'apiBase' | 'accessTokenUrl'> {
  return {
    appId: reader.matching('WECHAT_APP_ID', /^wx[\w-]{1,62}$/, undefined, {
      en: `must be the AppID, which begins with wx: copy it from ${CONSOLE.account.en}`,
      zh: `须为以 wx 开头的开发者 ID（AppID）：请从${CONSOLE.account.zh}复制`,
    }),
    appSecret: reader.matching('WECHAT_APP_SECRET', /^\S{1,128}$/, undefined, {
      en: `must be the AppSecret, without spaces: if it is lost, reset it in ${CONSOLE.secret.en}. WECHAT_OAUTH needs it even with ACCESS_TOKEN_URL`,
      zh: `须为开发者密钥（AppSecret），不含空格：如已遗失，请在${CONSOLE.secret.zh}重置。即使设置了 ACCESS_TOKEN_URL，WECHAT_OAUTH 也需要它`,
    }),
    apiBase: (reader.url('WECHAT_API_BASE', PUBLIC_API) ?? PUBLIC_API).replace(/\/+$/, ''),
    accessTokenUrl: reader.url('ACCESS_TOKEN_URL', undefined),
  }
}

export function parseWechat(reader: EnvReader): WechatSettings {
  const mode = reader.oneOf('WECHAT_MODE', ['secure', 'compatible', 'plain'], 'secure')
  return {
    ...parseAccount(reader),
    mode,
    token: reader.matching('WECHAT_TOKEN', /^[0-9a-z]{3,32}$/i, undefined, {
      en: `must be 3 to 32 letters or digits, the same as Token in ${CONSOLE.push.en}`,
      zh: `须为 3 至 32 位字母或数字，与${CONSOLE.push.zh}中的 Token 一致`,
    }),
    encodingAesKeys: parseEncryption(reader, mode),
    originalId: reader.optional('WECHAT_ORIGINAL_ID', /^gh_\w+$/, {
      en: `must begin with gh_: copy 原始 ID from ${CONSOLE.account.en}, or leave the setting out`,
      zh: `须以 gh_ 开头：请从${CONSOLE.account.zh}复制原始 ID，或不设置`,
    }),
  }
}

function parseEncryption(reader: EnvReader, mode: WechatMode): string[] {
  if (mode !== 'plain') return reader.parsed('WECHAT_ENCODING_AES_KEY', parseAesKeys, [])
  // Reads a setting that is not used, so that its name is known.
  reader.text('WECHAT_ENCODING_AES_KEY')
  return []
}

/** Parses one key, or `new,old` during a rotation. */
function parseAesKeys(text: string): string[] {
  const keys = text.split(',').map((key) => key.trim())
  const malformed = keys.find((key) => !/^[0-9A-Za-z]{43}$/.test(key))
  if (malformed === '') {
    throw new TypeError(
      `must be the EncodingAESKey, 43 letters or digits: copy it from ${CONSOLE.push.en} | ` +
        `须为 43 位字母或数字的 EncodingAESKey：请从${CONSOLE.push.zh}复制`,
    )
  }
  if (malformed !== undefined) {
    const got = malformed.length
    throw new TypeError(
      `must be 43 letters or digits, got ${got} characters: copy it without "=" | ` +
        `须为 43 位字母或数字，当前为 ${got} 位：复制时不要带“=”`,
    )
  }
  if (keys.length > 2) {
    throw new TypeError(
      `has ${keys.length} keys: at most two are allowed (new,old) | 有 ${keys.length} 个密钥：最多两个（新,旧）`,
    )
  }
  return keys
}
