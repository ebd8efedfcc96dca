/** Converts a binding to and from the object that `list --json`, `export` and `import` share. Pure. */
import { ID_LENGTH, LABEL_LENGTH, textFaults } from '../../api/claim-rules.ts'
import type { Bilingual } from '../../errors.ts'
import type { BoundUser } from '../../store/binding-walk.ts'
import type { NewBinding } from '../../store/store.ts'
import { isPrintable } from '../../wechat/fields.ts'
import { toUnixSeconds } from './time.ts'

export type BindingLine = {
  Tenant: string
  Account: string
  User_ID: string
  OpenId: string
  UnionId: string | null
  AppId: string
  IsSubscribed: boolean
  /** Unix seconds. */
  BoundAt: number
  Label: string | null
}

export const names = [
  'Tenant',
  'Account',
  'User_ID',
  'OpenId',
  'UnionId',
  'AppId',
  'IsSubscribed',
  'BoundAt',
  'Label',
] as const satisfies (keyof BindingLine)[]

export const required = ['Account', 'User_ID', 'OpenId'] as const

export const toBindingLine = ({ identity, binding }: Pick<BoundUser, 'identity' | 'binding'>): BindingLine => ({
  Tenant: identity.tenant,
  Account: identity.account,
  User_ID: identity.userId,
  OpenId: binding.openid,
  UnionId: binding.unionid,
  AppId: binding.appId,
  IsSubscribed: binding.subscribed,
  BoundAt: Math.floor(binding.boundAt / 1000),
  Label: binding.label,
})

export const toCells = (line: BindingLine) => names.map((name) => String(line[name] ?? ''))

/** `user_id`, `userId` and `User-ID` are read as `User_ID`, so that the header line of an exported table need not be changed. */
export function toName(text: string): (typeof names)[number] | undefined {
  const plain = toPlain(text)
  return names.find((name) => toPlain(name) === plain)
}

const toPlain = (text: string) => text.toLowerCase().replace(/[\s_-]/g, '')

/** The default values of members that a line lacks. `now` is epoch ms. */
export type LineDefaults = { tenant: string; account: string | undefined; appId: string; now: number }

/** The members of a line by name. A value from a CSV file is a string. */
export type RawLine = Partial<Record<(typeof names)[number], unknown>>

export type ParsedLine = { ok: true; line: NewBinding } | { ok: false; fault: Bilingual }

class LineFault extends Error {
  readonly fault: Bilingual

  constructor(fault: Bilingual) {
    super(fault.en)
    this.fault = fault
  }
}

const fail = (en: string, zh: string): never => {
  throw new LineFault({ en, zh })
}

/** A fault names the member and the expected form, but not the value. */
export function parseLine(raw: RawLine, defaults: LineDefaults): ParsedLine {
  try {
    return { ok: true, line: toNewBinding(raw, defaults) }
  } catch (error) {
    if (error instanceof LineFault) return { ok: false, fault: error.fault }
    throw error
  }
}

function toNewBinding(raw: RawLine, { tenant, account, appId, now }: LineDefaults): NewBinding {
  const identity = {
    tenant: isMissing(raw.Tenant) ? tenant : toId('Tenant', raw.Tenant),
    account: toId('Account', isMissing(raw.Account) ? account : raw.Account),
    userId: toId('User_ID', raw.User_ID),
  }
  const boundAt = isMissing(raw.BoundAt) ? now : toBoundAt(raw.BoundAt, now)
  const binding = {
    appId: isMissing(raw.AppId) ? appId : toAppId(raw.AppId),
    openid: toWechatId('OpenId', raw.OpenId),
    unionid: isMissing(raw.UnionId) ? null : toWechatId('UnionId', raw.UnionId),
    subscribed: isMissing(raw.IsSubscribed) || toBoolean(raw.IsSubscribed),
    boundAt,
    // The server ignores events older than `eventTime`, and applies every later event.
    eventTime: Math.floor(boundAt / 1000),
    label: isMissing(raw.Label) ? null : toLabel(raw.Label),
    lang: 'zh-CN' as const,
  }
  return { identity, binding }
}

const isMissing = (value: unknown) => value === undefined || value === null || value === ''

function toId(name: string, value: unknown): string {
  if (typeof value === 'number') {
    return fail(
      `${name} is a number, expected a text: write it between quotation marks`,
      `${name} 为数字，须为文本：请加引号`,
    )
  }
  if (typeof value === 'string' && textFaults(value, ID_LENGTH).length === 0) return value
  return fail(
    `${name} must be a text of 1 to ${ID_LENGTH} characters, without control characters`,
    `${name} 须为 1 至 ${ID_LENGTH} 个字符的文本，不含控制字符`,
  )
}

const MAX_WECHAT_ID = 128

const toWechatId = (name: string, value: unknown): string =>
  isPrintable(value, MAX_WECHAT_ID)
    ? value
    : fail(
        `${name} must be 1 to ${MAX_WECHAT_ID} printable ASCII characters without spaces, as WeChat gives it`,
        `${name} 须为微信给出的值：1 至 ${MAX_WECHAT_ID} 个可打印的 ASCII 字符，不含空格`,
      )

const toAppId = (value: unknown): string =>
  typeof value === 'string' && /^wx[\w-]{1,62}$/.test(value)
    ? value
    : fail('AppId must begin with wx', 'AppId 须以 wx 开头')

function toBoolean(value: unknown): boolean {
  if (typeof value === 'boolean') return value
  const text = String(value).toLowerCase()
  if (['true', 't', '1'].includes(text)) return true
  if (['false', 'f', '0'].includes(text)) return false
  return fail('IsSubscribed must be true or false', 'IsSubscribed 须为 true 或 false')
}

// Tolerance for the clock of the exporting system, which may be ahead.
const AHEAD_MS = 300_000

function toBoundAt(value: unknown, now: number): number {
  const seconds = toUnixSeconds(String(value))
  if (seconds !== undefined && seconds * 1000 <= now + AHEAD_MS) return seconds * 1000
  return fail(
    'BoundAt must be Unix seconds (10 digits) or a date such as 2026-01-31T08:00:00Z, and not in the future',
    'BoundAt 须为 Unix 秒（10 位）或日期（如 2026-01-31T08:00:00Z），且不晚于当前时间',
  )
}

const toLabel = (value: unknown): string =>
  typeof value === 'string' && textFaults(value, LABEL_LENGTH).length === 0
    ? value
    : fail(
        `Label must be a text of at most ${LABEL_LENGTH} characters, without control characters`,
        `Label 须为至多 ${LABEL_LENGTH} 个字符的文本，不含控制字符`,
      )
