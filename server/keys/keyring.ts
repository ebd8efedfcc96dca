/** The clients' keys: which secret a `kid` names, and to which tenant it belongs. */

export type BindKey = { kid: string; tenant: string; secret: Uint8Array }

export type Keyring = {
  find(kid: string): BindKey | undefined
  tenants(): string[]
  /** From now on these and no others. */
  replace(keys: BindKey[]): void
}

const ENTRY = /^([^:\s]{1,64}):([\w-]{43}=?)(?::([^:\s]{1,64}))?$/

const RULE =
  'must be kid:secret[:tenant], comma separated, the secret being 32 bytes in base64url: make one with "npx wechat-bind keygen" | ' +
  '须为 kid:密钥[:租户]，以逗号分隔，密钥为 32 字节的 base64url：可用 “npx wechat-bind keygen” 生成'

/** `kid:base64url-secret[:tenant]`, separated by commas or lines. Throws TypeError `English | 中文`, without the secret. */
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
      `names the kid "${twice.kid}" twice: each needs its own | 重复使用了 kid “${twice.kid}”：每个密钥须有自己的 kid`,
    )
  const alike = keys.find((key) => keys.some((other) => isAlike(key.tenant, other.tenant)))
  if (alike) throw new TypeError(ALIKE)
  return keys
}

/** A tenant's name as an environment variable can hold it. */
export const toSuffix = (tenant: string) => tenant.toUpperCase().replace(/[^A-Z0-9]/g, '_')

/** Two tenants that one `WEBHOOK_URL_<TENANT>` would mean would hear of each other's users. */
const isAlike = (one: string, other: string) => one !== other && toSuffix(one) === toSuffix(other)

const ALIKE =
  'names two tenants that differ in case or punctuation only: let them differ in letters or digits | ' +
  '含有仅大小写或标点不同的两个租户：请使用字母或数字不同的租户名'

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
