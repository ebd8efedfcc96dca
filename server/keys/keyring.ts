/** The keys of the back ends. Each `kid` has a secret and a tenant. */
import { isAllZeros } from '../crypto.ts'
import type { Bilingual } from '../errors.ts'

export type BindKey = { kid: string; tenant: string; secret: Uint8Array }

export type Keyring = {
  find(kid: string): BindKey | undefined
  tenants(): string[]
  /** Replaces all keys. */
  replace(keys: BindKey[]): void
}

const NAME = /^\S{1,64}$/
const SECRET = /^[\w-]{43}=?$/

// A message quotes only a short kid, because a longer text may be a secret in the wrong place.
const QUOTABLE = /^[\w.-]{1,32}$/

/** Each of `faults` names an entry and its fault. */
const rule = (faults: Bilingual[]) =>
  new TypeError(
    `must be kid:secret[:tenant], separated by commas, with a secret of 32 bytes in base64url${faults.map(({ en }) => `; ${en}`).join('')}: make a key with "npx wechat-bind keygen" | ` +
      `须为 kid:密钥[:租户]，以逗号分隔，密钥为 32 字节的 base64url${faults.map(({ zh }) => `；${zh}`).join('')}：可用 “npx wechat-bind keygen” 生成`,
  )

/** Parses `kid:base64url-secret[:tenant]`, separated by commas or lines. Throws a TypeError `English | 中文` without the secret. */
export function parseKeys(text: string): BindKey[] {
  const entries = text
    .split(/[,\n]/)
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '' && !entry.startsWith('#'))
  const faults = entries.flatMap(faultsOf)
  if (entries.length === 0 || faults.length > 0) throw rule(faults)
  const keys = entries.map(toKey)
  const twice = keys.find(({ kid }, i) => keys.findIndex((key) => key.kid === kid) !== i)
  if (twice)
    throw new TypeError(
      `names the kid "${twice.kid}" twice: each key needs its own kid | kid “${twice.kid}” 重复：每个密钥须使用不同的 kid`,
    )
  for (const key of keys) {
    const other = keys.find(({ tenant }) => shareSuffix(key.tenant, tenant))
    if (other) throw new TypeError(clash(key, other))
  }
  const weak = keys.find(({ secret }) => isAllZeros(secret))
  if (weak) throw new TypeError(weakSecret(weak.kid))
  const bySecret = new Map<string, BindKey>()
  for (const key of keys) {
    const text = Buffer.from(key.secret).toString('base64')
    const first = bySecret.get(text) ?? key
    if (first.tenant !== key.tenant) throw new TypeError(sharedSecret(first.kid, key.kid))
    bySecret.set(text, key)
  }
  return keys
}

/** Returns the tenant's name in a form that is allowed in the name of an environment variable. */
export const toSuffix = (tenant: string) => tenant.toUpperCase().replace(/[^A-Z0-9]/g, '_')

/** Tenants that share one `WEBHOOK_URL_<TENANT>` would receive each other's users. */
const shareSuffix = (one: string, other: string) => one !== other && toSuffix(one) === toSuffix(other)

const clash = (key: BindKey, other: BindKey) =>
  `names two tenants that differ only in case or punctuation (keys "${key.kid}" and "${other.kid}"): choose names that differ in letters or digits | ` +
  `含有仅大小写或标点不同的两个租户（密钥“${key.kid}”与“${other.kid}”）：请使用字母或数字不同的租户名`

const weakSecret = (kid: string) =>
  `gives the key "${kid}" a secret of zeros, which anyone can guess: make one with "npx wechat-bind keygen" | ` +
  `密钥“${kid}”的密钥全为零，任何人都能猜到：请用 “npx wechat-bind keygen” 生成`

/** Two tenants must not share a secret: the `kid` is not encrypted, so a back end could send the other tenant's `kid`. */
const sharedSecret = (kid: string, other: string) =>
  `gives two tenants the same secret (keys "${kid}" and "${other}"): make a key for each tenant with "npx wechat-bind keygen" | ` +
  `两个租户使用同一密钥（“${kid}”与“${other}”）：请用 “npx wechat-bind keygen” 为每个租户各生成一个`

function split(entry: string) {
  const [kid = '', secret = '', tenant = 'default', ...more] = entry.split(':')
  return { kid, secret, tenant, surplus: more.length }
}

function toKey(entry: string): BindKey {
  const { kid, secret, tenant } = split(entry)
  return { kid, tenant, secret: new Uint8Array(Buffer.from(secret, 'base64url')) }
}

function faultsOf(entry: string, index: number): Bilingual[] {
  const parts = split(entry)
  const fault = faultOf(parts)
  if (!fault) return []
  const isNamed = QUOTABLE.test(parts.kid) && entry.includes(':')
  const name = isNamed ? { en: ` ("${parts.kid}")`, zh: `（“${parts.kid}”）` } : { en: '', zh: '' }
  return [{ en: `entry ${index + 1}${name.en} ${fault.en}`, zh: `第 ${index + 1} 项${name.zh}${fault.zh}` }]
}

/** Describes the fault of an entry. The text contains no part of the entry. */
function faultOf({ kid, secret, tenant, surplus }: ReturnType<typeof split>): Bilingual | undefined {
  if (!NAME.test(kid)) {
    return { en: 'needs a kid of 1 to 64 characters without spaces', zh: '的 kid 须为 1 至 64 个字符，不含空格' }
  }
  if (secret === '') return { en: 'has no secret after its kid', zh: '在 kid 之后没有密钥' }
  const { length } = secret.replace(/=$/, '')
  if (length !== 43) {
    return { en: `has a secret of ${length} characters, expected 43`, zh: `的密钥有 ${length} 个字符，应为 43 个` }
  }
  if (!SECRET.test(secret)) {
    return {
      en: 'has characters in its secret that base64url does not have (only letters, digits, - and _)',
      zh: '的密钥含有 base64url 以外的字符（仅限字母、数字、- 与 _）',
    }
  }
  if (surplus > 0) return { en: 'has more than three parts', zh: '超过三个部分' }
  if (!NAME.test(tenant)) {
    return { en: 'needs a tenant of 1 to 64 characters without spaces', zh: '的租户须为 1 至 64 个字符，不含空格' }
  }
  return undefined
}

export function createKeyring(keys: BindKey[]): Keyring {
  let byKid = new Map<string, BindKey>()
  const replace = (next: BindKey[]) => {
    byKid = new Map(next.map((key) => [key.kid, key]))
  }
  replace(keys)
  return {
    replace,
    find: (kid) => byKid.get(kid),
    tenants: () => [...new Set([...byKid.values()].map(({ tenant }) => tenant))],
  }
}
