/** The simulated Official Account's settings in WeChat's console, and the openid and unionid of its users. */
import { createHash } from 'node:crypto'
import type { WechatMode } from '../../server/wechat/message.ts'

export type Account = {
  appId: string
  appSecret: string
  /** The account's own id: `gh_` and 12 hex digits. It is the `ToUserName` of every message. */
  originalId: string
  /** The account's name on the follow page and in the chat. */
  name: string
  token: string
  encodingAesKey: string
  /** A test account (测试号) supports only `plain`. */
  mode: WechatMode
  /** The domains of the web authorization (网页授权域名), without a scheme and a port. WeChat compares the whole name. */
  webDomains: string[]
  /** Whether the account belongs to an Open Platform account. If not, its users have no `unionid`. */
  hasUnionid: boolean
}

/** Returns cryptographically random bytes. Tests pass a function whose results are the same in each run. */
export type Random = (size: number) => Buffer

const LETTERS_AND_DIGITS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'

/** Completes `given` with random values in WeChat's formats. Throws TypeError for a value that WeChat's console rejects. */
export function createAccount(given: Partial<Account>, random: Random): Account {
  const account: Account = {
    appId: `wx${random(8).toString('hex')}`,
    appSecret: random(16).toString('hex'),
    originalId: `gh_${random(6).toString('hex')}`,
    name: 'Acme 通知',
    token: toText(random(24)),
    encodingAesKey: toText(random(43)),
    mode: 'secure',
    webDomains: ['localhost', '127.0.0.1', '[::1]'],
    hasUnionid: true,
    ...given,
  }
  if (!/^[A-Za-z0-9]{3,32}$/.test(account.token)) throw new TypeError('token must be 3 to 32 letters and digits')
  if (!/^[A-Za-z0-9]{43}$/.test(account.encodingAesKey)) {
    throw new TypeError('encodingAesKey must be 43 letters and digits')
  }
  return account
}

// Because of the modulus, 8 of the 62 characters occur slightly more often than the others. Each character still has
// 5.9 bits of entropy, which is enough.
const toText = (bytes: Buffer) => Array.from(bytes, (byte) => LETTERS_AND_DIGITS[byte % 62]).join('')

/**
 * Returns 28 characters, which are always the same for one person and account. As in WeChat, the first 6 characters are
 * the same for all users of an account.
 */
export function toOpenid({ appId }: Account, person: string): string {
  return `o${digest(appId).slice(0, 5)}${digest(appId, person).slice(0, 22)}`
}

/** Returns the id of a person. The id is the same in all accounts of one Open Platform account. */
export function toUnionid(person: string): string {
  return `o${digest('open platform', person).slice(0, 27)}`
}

const digest = (...parts: string[]) => createHash('sha256').update(parts.join('\n')).digest('base64url')
