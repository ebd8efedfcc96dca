/** Checks the encryption mode, WeChat's EncodingAESKey and the keys of the back ends. These checks need no network. */
import type { Config } from '../config/config.ts'
import { isAllZeros } from '../crypto.ts'
import { BindError, counted } from '../errors.ts'
import type { BindKey } from '../keys/keyring.ts'
import { CONSOLE } from '../wechat/console.ts'
import { createCrypt } from '../wechat/crypt.ts'
import { type Finding, ok, warn, wrong } from './finding.ts'
import { toFaults, toFinding } from './settings.ts'

export function checkMode({ wechat: { mode } }: Config): Finding {
  if (mode !== 'plain') {
    return ok('mode.ok', {
      en: `Messages are encrypted (WECHAT_MODE=${mode}). ${CONSOLE.push.en} must be set to ${consoleNames[mode]} too.`,
      zh: `消息已加密（WECHAT_MODE=${mode}）。${CONSOLE.push.zh}中的消息加解密方式也须为${consoleNames[mode]}。`,
    })
  }
  return warn('mode.plain', {
    en: 'Messages are not encrypted (WECHAT_MODE=plain): anyone who sees the URL of one callback can forge messages.',
    zh: '消息未加密（WECHAT_MODE=plain）：任何人看到一次回调的网址就能伪造消息。',
    fix: {
      en: `Only a test account (测试号) needs plain mode. For any other account do not set WECHAT_MODE, and select 安全模式 in ${CONSOLE.push.en}.`,
      zh: `仅测试号需要明文模式。其他账号请不要设置 WECHAT_MODE，并在${CONSOLE.push.zh}选择安全模式。`,
    },
  })
}

const consoleNames = { secure: '安全模式', compatible: '兼容模式' }

/** Returns no findings in plain mode, because it has no key. */
export function checkAesKeys({ wechat: { encodingAesKeys, appId } }: Config): Finding[] {
  if (encodingAesKeys.length === 0) return []
  if (!encodingAesKeys.every((key) => canDecryptItsOwn(key, appId))) return [unusable]
  if (encodingAesKeys.some(isGuessable)) return [guessable]
  const isOne = encodingAesKeys.length === 1
  const hasSurplus = encodingAesKeys.some((key) => !isCanonical(key))
  return [
    ok('aes-key.ok', {
      en: `${isOne ? 'The EncodingAESKey has' : 'Both EncodingAESKeys have'} 43 characters and decode${isOne ? 's' : ''} to 32 bytes${hasSurplus ? '; unused bits at the end may be set' : ''}.`,
      zh: `${isOne ? '' : '两个 '}EncodingAESKey 为 43 位，可解码为 32 字节${hasSurplus ? '；末位有未使用的比特，属正常情况' : ''}。`,
    }),
  ]
}

function canDecryptItsOwn(key: string, appId: string): boolean {
  try {
    const { encrypt, decrypt } = createCrypt(key, appId)
    return decrypt(encrypt('doctor')) === 'doctor'
  } catch {
    return false
  }
}

/** 43 characters are 258 bits, but a key has 256 bits. Keys from WeChat's console may have the last two bits set. */
const isCanonical = (key: string) => Buffer.from(`${key}=`, 'base64').toString('base64') === `${key}=`

const isGuessable = (key: string) => isAllZeros(Buffer.from(`${key}=`, 'base64'))

const guessable = warn('aes-key.guessable', {
  en: 'The EncodingAESKey consists of zeros, which anyone can guess.',
  zh: 'EncodingAESKey 全为零，任何人都能猜到。',
  fix: {
    en: `Click 随机生成 for EncodingAESKey in ${CONSOLE.push.en}, and copy the new key into WECHAT_ENCODING_AES_KEY.`,
    zh: `请在${CONSOLE.push.zh}为 EncodingAESKey 点“随机生成”，并将新密钥填入 WECHAT_ENCODING_AES_KEY。`,
  },
})

const unusable = wrong('aes-key.wrong', {
  en: 'The EncodingAESKey does not work: a test message encrypted with it could not be decrypted.',
  zh: 'EncodingAESKey 不可用：用它加密的测试消息无法解密。',
  fix: {
    en: `Copy WECHAT_ENCODING_AES_KEY from ${CONSOLE.push.en} again: 43 letters and digits.`,
    zh: `请从${CONSOLE.push.zh}重新复制 WECHAT_ENCODING_AES_KEY：43 位字母或数字。`,
  },
})

export function checkKeys({ keys, keysFile }: Config, readKeyFile: (path: string) => BindKey[]): Finding[] {
  try {
    const { length } = keysFile === undefined ? keys : readKeyFile(keysFile)
    const name = keysFile === undefined ? 'BIND_KEYS' : 'BIND_KEYS_FILE'
    return [ok('keys.ok', { en: `${name} has ${counted(length, 'key')}.`, zh: `${name} 中有 ${length} 个密钥。` })]
  } catch (error) {
    if (error instanceof BindError) return toFaults(error.message).map(toFinding)
    throw error
  }
}
