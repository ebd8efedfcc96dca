/** The people who may sign in to the console. Each has a name, a secret and a role. */
import { createHash, timingSafeEqual } from 'node:crypto'
import type { Bilingual } from '../errors.ts'

export type Role = 'viewer' | 'operator'

export type Operator = { name: string; secret: string; role: Role }

export type Operators = {
  /**
   * Returns the operator to whom a token belongs. The token is the secret, or `name:secret[:role]` as in CONSOLE_TOKENS. The role
   * always comes from CONSOLE_TOKENS.
   */
  find(token: string): Operator | undefined
  byName(name: string): Operator | undefined
  /** Replaces all operators. */
  replace(operators: Operator[]): void
}

const NAME = /^[\w.@-]{1,64}$/
const SECRET = /^[\x21-\x7e]{20,256}$/
const ROLES: readonly string[] = ['viewer', 'operator'] satisfies Role[]

// A message quotes only a short name, because a longer text may be a secret in the wrong place.
const QUOTABLE = /^[\w.-]{1,32}$/

const rule = (faults: Bilingual[]) =>
  new TypeError(
    `must be name:secret[:role], separated by commas, with a secret of 20 characters or more and the role viewer or operator${faults.map(({ en }) => `; ${en}`).join('')}: make a token with "npx wechat-bind keygen --console NAME" | ` +
      `须为 名称:密钥[:角色]，以逗号分隔，密钥至少 20 个字符，角色为 viewer 或 operator${faults.map(({ zh }) => `；${zh}`).join('')}：可用 “npx wechat-bind keygen --console 名称” 生成`,
  )

/** Parses `name:secret[:role]`, separated by commas or lines. A line that begins with `#` is a comment. Throws a TypeError `English | 中文` without a secret. */
export function parseOperators(text: string): Operator[] {
  const entries = text
    .split('\n')
    .filter((line) => !line.trim().startsWith('#'))
    .flatMap((line) => line.split(','))
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '')
  const faults = entries.flatMap(faultsOf)
  if (entries.length === 0 || faults.length > 0) throw rule(faults)
  const operators = entries.map(toOperator)
  const twice = operators.find(({ name }, i) => operators.findIndex((each) => each.name === name) !== i)
  if (twice) {
    throw new TypeError(
      `names "${twice.name}" twice: each token needs its own name | 名称“${twice.name}”重复：每个令牌须使用不同的名称`,
    )
  }
  const shared = operators.find(({ secret }, i) => operators.findIndex((each) => each.secret === secret) !== i)
  if (shared) {
    throw new TypeError(
      `gives "${shared.name}" the secret of another name: make a token for each person | “${shared.name}”与另一名称使用同一密钥：请为每个人各生成一个令牌`,
    )
  }
  return operators
}

function split(entry: string) {
  const [name = '', secret = '', role = 'viewer', ...more] = entry.split(':')
  return { name, secret, role, surplus: more.length }
}

function toOperator(entry: string): Operator {
  const { name, secret, role } = split(entry)
  return { name, secret, role: role as Role }
}

function faultsOf(entry: string, index: number): Bilingual[] {
  const parts = split(entry)
  const fault = faultOf(parts)
  if (!fault) return []
  const isNamed = QUOTABLE.test(parts.name) && entry.includes(':')
  const name = isNamed ? { en: ` ("${parts.name}")`, zh: `（“${parts.name}”）` } : { en: '', zh: '' }
  return [{ en: `entry ${index + 1}${name.en} ${fault.en}`, zh: `第 ${index + 1} 项${name.zh}${fault.zh}` }]
}

/** Describes the fault of an entry. The text contains no part of the entry. */
function faultOf({ name, secret, role, surplus }: ReturnType<typeof split>): Bilingual | undefined {
  if (!NAME.test(name)) {
    return {
      en: 'needs a name of 1 to 64 letters, digits, ".", "_", "-" or "@"',
      zh: '的名称须为 1 至 64 个字母、数字、“.”、“_”、“-”或“@”',
    }
  }
  if (secret === '') return { en: 'has no secret after its name', zh: '在名称之后没有密钥' }
  if (secret.length < 20) {
    return {
      en: `has a secret of ${secret.length} characters, expected 20 or more`,
      zh: `的密钥有 ${secret.length} 个字符，至少应为 20 个`,
    }
  }
  if (!SECRET.test(secret)) {
    return {
      en: 'has a secret with spaces, with other than ASCII characters, or longer than 256 characters',
      zh: '的密钥含有空格或非 ASCII 字符，或超过 256 个字符',
    }
  }
  if (/^(.)\1*$/.test(secret)) {
    return {
      en: 'has a secret of one repeated character, which is a placeholder',
      zh: '的密钥只有一个重复的字符，属于占位值',
    }
  }
  if (surplus > 0) return { en: 'has more than three parts', zh: '超过三个部分' }
  if (!ROLES.includes(role)) return { en: 'needs the role viewer or operator', zh: '的角色须为 viewer 或 operator' }
  return undefined
}

const digest = (text: string) => createHash('sha256').update(text).digest()

/** Compares the hashes of all secrets, so the time taken does not depend on the operator, or on the position of a wrong character. */
export function createOperators(given: Operator[]): Operators {
  let operators: (Operator & { digest: Buffer })[] = []
  const replace = (next: Operator[]) => {
    operators = next.map((operator) => ({ ...operator, digest: digest(operator.secret) }))
  }
  replace(given)

  function find(token: string): Operator | undefined {
    const [name, secret] = token.includes(':') ? token.split(':') : [undefined, token]
    const wanted = digest(secret ?? '')
    const matching = operators.filter((each) => timingSafeEqual(each.digest, wanted))
    return matching.find((each) => name === undefined || each.name === name)
  }

  return { find, byName: (name) => operators.find((each) => each.name === name), replace }
}
