/** The Official Account as WeChat's console holds it, and the ids that WeChat gives to people who meet it. */
import { createHash } from 'node:crypto'
import type { WechatMode } from '../../server/wechat/message.ts'

export type Account = {
  appId: string
  appSecret: string
  /** The account's own id, `gh_` and 12 hex digits: `ToUserName` of every message. */
  originalId: string
  /** What the follow page and the chat call the account. */
  name: string
  token: string
  encodingAesKey: string
  /** A test account (测试号) has `plain` and nothing else. */
  mode: WechatMode
  /** Bound to an Open Platform account: only then people have a `unionid`. */
  hasUnionid: boolean
}

/** Cryptographically random bytes; passed in so that a test can repeat itself. */
export type Random = (size: number) => Buffer

const LETTERS_AND_DIGITS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'

/** `given`, completed with values in WeChat's own shapes. Throws TypeError for what its console would not save. */
export function createAccount(given: Partial<Account>, random: Random): Account {
  const account: Account = {
    appId: `wx${random(8).toString('hex')}`,
    appSecret: random(16).toString('hex'),
    originalId: `gh_${random(6).toString('hex')}`,
    name: 'Acme 通知',
    token: toText(random(24)),
    encodingAesKey: toText(random(43)),
    mode: 'secure',
    hasUnionid: true,
    ...given,
  }
  if (!/^[A-Za-z0-9]{3,32}$/.test(account.token)) throw new TypeError('token must be 3 to 32 letters and digits')
  if (!/^[A-Za-z0-9]{43}$/.test(account.encodingAesKey)) {
    throw new TypeError('encodingAesKey must be 43 letters and digits')
  }
  return account
}

// The modulus favours 8 of the 62 characters a little: 5.9 bits a character are still far more than anyone can guess.
const toText = (bytes: Buffer) => Array.from(bytes, (byte) => LETTERS_AND_DIGITS[byte % 62]).join('')

/** 28 characters, the first 6 the same for all of the account's people, and for a person always the same, as WeChat promises. */
export function toOpenid({ appId }: Account, person: string): string {
  return `o${digest(appId).slice(0, 5)}${digest(appId, person).slice(0, 22)}`
}

/** The same for every account of one Open Platform account. */
export function toUnionid(person: string): string {
  return `o${digest('open platform', person).slice(0, 27)}`
}

const digest = (...parts: string[]) => createHash('sha256').update(parts.join('\n')).digest('base64url')
