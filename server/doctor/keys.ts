/** What of the configuration can be judged without asking anyone: the mode, WeChat's key and the clients' keys. */
import type { Config } from '../config/config.ts'
import { BindError } from '../errors.ts'
import type { BindKey } from '../keys/keyring.ts'
import { createCrypt } from '../wechat/crypt.ts'
import { toFaults, toFinding } from './configuration.ts'
import { type Finding, ok, warn, wrong } from './finding.ts'

export function checkMode({ wechat: { mode } }: Config): Finding {
  if (mode !== 'plain') {
    return ok('mode.ok', {
      en: `Messages are encrypted (WECHAT_MODE=${mode}): set ${consoleNames[mode]} in WeChat's console too.`,
      zh: `消息已加密（WECHAT_MODE=${mode}）：公众平台的消息加解密方式也须为${consoleNames[mode]}。`,
    })
  }
  return warn('mode.plain', {
    en: "Messages are not encrypted (WECHAT_MODE=plain): whoever sees one callback's URL can forge others.",
    zh: '消息未加密（WECHAT_MODE=plain）：任何人看到一次回调的网址就能伪造消息。',
    fix: {
      en: "Only WeChat's test account (测试号) needs this: elsewhere leave WECHAT_MODE out and set 安全模式 in the console.",
      zh: '仅测试号需要明文模式：其他情况请不要设置 WECHAT_MODE，并在公众平台选择安全模式。',
    },
  })
}

const consoleNames = { secure: '安全模式', compatible: '兼容模式' }

/** Nothing in plain mode, which has no key. */
export function checkAesKeys({ wechat: { encodingAesKeys, appId } }: Config): Finding[] {
  if (encodingAesKeys.length === 0) return []
  if (!encodingAesKeys.every((key) => opensItsOwn(key, appId))) return [useless]
  const count = encodingAesKeys.length
  const surplus = encodingAesKeys.some((key) => !isCanonical(key))
  return [
    ok('aes-key.ok', {
      en: `${count === 1 ? 'The EncodingAESKey has' : 'Both EncodingAESKeys have'} 43 characters and decode${count === 1 ? 's' : ''} to 32 bytes${surplus ? '; surplus bits at the end are normal' : ''}.`,
      zh: `${count === 1 ? '' : '两个 '}EncodingAESKey 为 43 位，可解码为 32 字节${surplus ? '；末位有多余的比特属正常' : ''}。`,
    }),
  ]
}

function opensItsOwn(key: string, appId: string): boolean {
  try {
    const { encrypt, decrypt } = createCrypt(key, appId)
    return decrypt(encrypt('doctor')) === 'doctor'
  } catch {
    return false
  }
}

/** 43 characters hold 258 bits: a key that WeChat's console made may have anything in the last two. */
const isCanonical = (key: string) => Buffer.from(`${key}=`, 'base64').toString('base64') === `${key}=`

const useless = wrong('aes-key.wrong', {
  en: 'The EncodingAESKey does not open what it has sealed.',
  zh: 'EncodingAESKey 无法解开自己加密的内容。',
  fix: {
    en: "Copy WECHAT_ENCODING_AES_KEY from WeChat's console again: 43 letters and digits.",
    zh: '请从公众平台重新复制 WECHAT_ENCODING_AES_KEY：43 位字母或数字。',
  },
})

export function checkKeys({ keys, keysFile }: Config, readKeyFile: (path: string) => BindKey[]): Finding[] {
  try {
    const { length } = keysFile === undefined ? keys : readKeyFile(keysFile)
    const name = keysFile === undefined ? 'BIND_KEYS' : 'BIND_KEYS_FILE'
    return [ok('keys.ok', { en: `${name} holds ${length} key(s).`, zh: `${name} 中有 ${length} 个密钥。` })]
  } catch (error) {
    if (error instanceof BindError) return toFaults(error.message).map(toFinding)
    throw error
  }
}
