/** The configuration: parsed once at start from a plain record; one error names every setting at fault and its fix. */

import type { ReplyName, ReplyTexts } from '../binding/replies.ts'
import type { Rules } from '../binding/rules.ts'
import type { WaiterLimits } from '../binding/waiters.ts'
import { BindError } from '../errors.ts'
import { type BindKey, parseKeys } from '../keys/keyring.ts'
import type { Language } from '../store/store.ts'
import type { WechatMode } from '../wechat/message.ts'
import { createEnvReader, type Settings } from './env-reader.ts'
import { parseWebhookReceivers, type WebhookReceivers } from './webhook-receivers.ts'

export type Env = Record<string, string | undefined>

export type Config = {
  wechat: {
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
  keys: BindKey[]
  /** Holds the keys instead, one a line. */
  keysFile: string | undefined
  databaseUrl: string
  /** Origins of the pages that may embed the widget; the server's own needs no entry. */
  allowedOrigins: string[]
  /** Undefined: every interface. */
  host: string | undefined
  /** How the world reaches the server; for the operator's eyes. */
  publicUrl: string | undefined
  port: number
  ticketTtlMs: number
  qrPerMinute: number
  tenantQrPerMinute: number
  /** Pages that may wait at one instance. */
  waiters: WaiterLimits
  /** Open sockets of one instance; more than pages may wait, so that WeChat and the probes still get in. */
  maxConnections: number
  rules: Rules
  replies: { texts: ReplyTexts; lang: Language }
  webhooks: WebhookReceivers
  /** What stands before the server is the operator's own: the request ids that it makes are kept. */
  trustProxy: boolean
  forwardUrl: string | undefined
  /** What is ours is told to `forwardUrl` too. */
  forwardAll: boolean
  logLevel: string
}

const DATABASE_URL = /^(sqlite:.+|postgres(ql)?:\/\/\S+)$/

const PUBLIC_API = 'https://api.weixin.qq.com'

const replyNames: ReplyName[] = [
  'bound',
  'already_bound',
  'used',
  'expired',
  'conflict',
  'confirm_reply',
  'confirm_code',
  'unbound',
  'cancelled',
  'not_bound',
  'wrong_code',
  'too_many_codes',
  'scan_again',
]

/** Throws `BAD_CONFIG` whose message names each setting that is missing or malformed, in Chinese and English. */
export function parseConfig(env: Env): Config {
  const settings = createEnvReader(env)
  const config = {
    wechat: parseWechat(settings),
    keys: env.BIND_KEYS_FILE ? [] : settings.parsed('BIND_KEYS', parseKeys, []),
    keysFile: env.BIND_KEYS_FILE || undefined,
    databaseUrl: settings.matching('DATABASE_URL', DATABASE_URL, 'sqlite:./data/wechat-bind.db', {
      en: 'must be sqlite:<file>, for example sqlite:./data/wechat-bind.db, or postgres://user:password@host/database',
      zh: '须为 sqlite:<文件>（例如 sqlite:./data/wechat-bind.db）或 postgres://用户:密码@主机/数据库',
    }),
    allowedOrigins: settings.origins('ALLOWED_ORIGINS'),
    host: env.HOST || undefined,
    publicUrl: settings.url('PUBLIC_URL', undefined)?.replace(/\/+$/, ''),
    port: settings.integer('PORT', 0, 65_535, 4000),
    ticketTtlMs: settings.integer('TICKET_TTL', 60, 2_592_000, 120) * 1000,
    qrPerMinute: settings.integer('QR_PER_MINUTE', 1, 1000, 10),
    tenantQrPerMinute: settings.integer('QR_PER_MINUTE_TENANT', 1, 1_000_000, 1000),
    waiters: {
      inAll: settings.integer('MAX_WAITERS', 1, 1_000_000, 20_000),
      perTenant: settings.integer('MAX_WAITERS_TENANT', 1, 1_000_000, 10_000),
      perUser: settings.integer('MAX_WAITERS_USER', 1, 1000, 20),
    },
    maxConnections: settings.integer('MAX_CONNECTIONS', 10, 1_100_000, 25_000),
    rules: {
      conflict: settings.oneOf('CONFLICT', ['reject', 'replace', 'allow'], 'reject'),
      confirm: settings.oneOf('CONFIRM', ['off', 'reply', 'code'], 'off'),
      unsubscribe: settings.oneOf('UNSUBSCRIBE', ['unbind', 'mark'], 'unbind'),
    },
    replies: {
      lang: settings.oneOf('REPLY_LANG', ['zh-CN', 'zh-TW', 'en'], 'zh-CN'),
      texts: Object.fromEntries(replyNames.map((name) => [name, env[`REPLY_${name.toUpperCase()}`] || undefined])),
    },
    webhooks: parseWebhookReceivers(settings),
    trustProxy: settings.oneOf('TRUST_PROXY', ['true', 'false'], 'false') === 'true',
    forwardUrl: settings.url('FORWARD_URL', undefined),
    forwardAll: settings.oneOf('FORWARD_ALL', ['true', 'false'], 'false') === 'true',
    logLevel: settings.oneOf('LOG_LEVEL', ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'], 'info'),
  } satisfies Config
  refuseUnknownReplies(settings)
  if (settings.faults.length > 0) throw new BindError('BAD_CONFIG', toMessage(settings.faults))
  return config
}

function parseWechat(settings: Settings): Config['wechat'] {
  const mode = settings.oneOf('WECHAT_MODE', ['secure', 'compatible', 'plain'], 'secure')
  return {
    mode,
    appId: settings.matching('WECHAT_APP_ID', /^wx[\w-]{1,62}$/, undefined, {
      en: 'must be the appid, which begins with wx: copy it from the WeChat console (设置与开发 > 基本配置)',
      zh: '须为以 wx 开头的开发者 ID（AppID）：请从公众平台“设置与开发 > 基本配置”复制',
    }),
    appSecret: settings.matching('WECHAT_APP_SECRET', /^\S{1,128}$/, undefined, {
      en: 'must be the AppSecret, without spaces: reset it in the WeChat console if it is lost',
      zh: '须为开发者密码（AppSecret），不含空格：如已遗失，请在公众平台重置',
    }),
    token: settings.matching('WECHAT_TOKEN', /^[0-9a-z]{3,32}$/i, undefined, {
      en: 'must be 3 to 32 letters or digits, the same as Token in the WeChat console',
      zh: '须为 3 至 32 位字母或数字，与公众平台“服务器配置”的令牌（Token）一致',
    }),
    encodingAesKeys: mode === 'plain' ? [] : settings.parsed('WECHAT_ENCODING_AES_KEY', parseAesKeys, []),
    originalId: settings.optional('WECHAT_ORIGINAL_ID', /^gh_\w+$/, {
      en: 'must begin with gh_: copy 原始ID from the WeChat console, or leave it out',
      zh: '须以 gh_ 开头：请从公众平台复制原始 ID，或不填',
    }),
    apiBase: (settings.url('WECHAT_API_BASE', PUBLIC_API) ?? PUBLIC_API).replace(/\/+$/, ''),
    accessTokenUrl: settings.url('ACCESS_TOKEN_URL', undefined),
  }
}

/** A misspelled text would never be said, and nobody would notice. */
function refuseUnknownReplies(settings: Settings): void {
  const known = new Set(['LANG', ...replyNames.map((name) => name.toUpperCase())])
  for (const name of settings.namesAfter('REPLY_').filter((each) => !known.has(each))) {
    const list = [...known].join(', ')
    settings.add(`REPLY_${name}`, { en: `is not a reply; there are ${list}`, zh: `没有这条回复；可用的有 ${list}` })
  }
}

/** `new,old` during a rotation. */
function parseAesKeys(text: string): string[] {
  const keys = text.split(',').map((key) => key.trim())
  const wrong = keys.find((key) => !/^[0-9A-Za-z]{43}$/.test(key))
  if (wrong === undefined && keys.length <= 2) return keys
  const got = wrong === undefined ? `${keys.length}` : `${wrong.length}`
  throw new TypeError(
    wrong === undefined
      ? `holds ${got} keys, at most new,old are possible | 含 ${got} 个密钥，轮换时最多为 “新,旧” 两个`
      : `must be 43 letters or digits, got ${got} characters: copy it without "=" | 须为 43 位字母或数字，当前为 ${got} 位：复制时不要带 “=”`,
  )
}

const toMessage = (faults: string[]) =>
  [
    `wechat-bind cannot start: ${faults.length} setting(s) are missing or malformed.`,
    `wechat-bind 无法启动：有 ${faults.length} 项配置缺失或格式不对。`,
    ...faults.map((fault) => `  - ${fault}`),
  ].join('\n')
