/** The keys of the back ends. Each `kid` has a secret and a tenant. */
import { isAllZeros } from '../crypto.ts'

export type BindKey = { kid: string; tenant: string; secret: Uint8Array }

export type Keyring = {
  find(kid: string): BindKey | undefined
  tenants(): string[]
  /** Replaces all keys. */
  replace(keys: BindKey[]): void
}

const ENTRY = /^([^:\s]{1,64}):([\w-]{43}=?)(?::([^:\s]{1,64}))?$/

const RULE =
  'must be kid:secret[:tenant], separated by commas, with a secret of 32 bytes in base64url: make one with "npx wechat-bind keygen" | ' +
  '须为 kid:密钥[:租户]，以逗号分隔，密钥为 32 字节的 base64url：可用 “npx wechat-bind keygen” 生成'

/** Parses `kid:base64url-secret[:tenant]`, separated by commas or lines. Throws a TypeError `English | 中文` without the secret. */
export function parseKeys(text: string): BindKey[] {
  const keys = text
    .split(/[,\n]/)
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '' && !entry.startsWith('#'))
    .map(parseKey)
  if (keys.length === 0) throw new TypeError(RULE)
  const twice = keys.find(({ kid }, i) => keys.findIndex((key) => key.kid === kid) !== i)
  if (twice)
    throw new TypeError(
      `names the kid "${twice.kid}" twice: each key needs its own kid | kid “${twice.kid}” 重复：每个密钥须使用不同的 kid`,
    )
  const clash = keys.find((key) => keys.some((other) => shareSuffix(key.tenant, other.tenant)))
  if (clash) throw new TypeError(CLASH)
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

const CLASH =
  'names two tenants that differ only in case or punctuation: choose names that differ in letters or digits | ' +
  '含有仅大小写或标点不同的两个租户：请使用字母或数字不同的租户名'

const weakSecret = (kid: string) =>
  `gives the key "${kid}" a secret of zeros, which anyone can guess: make one with "npx wechat-bind keygen" | ` +
  `密钥“${kid}”的密钥全为零，任何人都能猜到：请用 “npx wechat-bind keygen” 生成`

/** Two tenants must not share a secret: the `kid` is not encrypted, so a back end could send the other tenant's `kid`. */
const sharedSecret = (kid: string, other: string) =>
  `gives two tenants the same secret (keys "${kid}" and "${other}"): make a key for each tenant with "npx wechat-bind keygen" | ` +
  `两个租户使用同一密钥（“${kid}”与“${other}”）：请用 “npx wechat-bind keygen” 为每个租户各生成一个`

function parseKey(entry: string): BindKey {
  const [, kid, secret, tenant = 'default'] = ENTRY.exec(entry) ?? []
  if (!kid || !secret) throw new TypeError(RULE)
  return { kid, tenant, secret: new Uint8Array(Buffer.from(secret, 'base64url')) }
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
