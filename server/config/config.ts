/** Parses the configuration once at the start, from a plain record. One error names all faulty settings and their fixes. Node only. */

import type { Rules } from '../binding/decision.ts'
import { type ReplyTexts, replyNames } from '../binding/replies.ts'
import type { WaiterLimits } from '../binding/waiters.ts'
import { BindError, counted } from '../errors.ts'
import { parseKeyFile, type ReadKeyFile } from '../keys/key-file.ts'
import { type BindKey, parseKeys } from '../keys/keyring.ts'
import type { Language } from '../store/store.ts'
import { type ConsoleSettings, parseConsole } from './console-settings.ts'
import { checkContradictions } from './contradictions.ts'
import { createEnvReader, type EnvReader } from './env-reader.ts'
import { type OauthSettings, parseOauth } from './oauth-settings.ts'
import { checkNames } from './unknown-names.ts'
import { parseWebhookReceivers, type WebhookReceivers } from './webhook-receivers.ts'
import { readWebhooksFile } from './webhooks-file.ts'
import { parseWechat, type WechatSettings } from './wechat-settings.ts'

export type Env = Record<string, string | undefined>

export type Config = {
  wechat: WechatSettings
  /** The web authorization of pages inside WeChat. */
  oauth: OauthSettings
  /** The name of the Official Account, which the pages show. */
  accountName: string | undefined
  /** The keys of BIND_KEYS, or the keys that BIND_KEYS_FILE contained when the settings were read. */
  keys: BindKey[]
  /** A file with the keys, one per line, which is read again when it changes. */
  keysFile: string | undefined
  databaseUrl: string
  /** Origins of the pages that may embed the widget. The server's own origin needs no entry. */
  allowedOrigins: string[]
  /** If undefined, the server listens on all interfaces. */
  host: string | undefined
  /** The server's address on the internet. Used only by the doctor and in the log. */
  publicUrl: string | undefined
  port: number
  /** The address for metrics and probes. Without it, metrics and probes are on the main port. `port` 0 takes a free port. */
  ops: { host: string; port: number } | undefined
  console: ConsoleSettings
  ticketTtlMs: number
  qrPerMinute: number
  qrPerHour: number
  qrPerDay: number
  tenantQrPerMinute: number
  tenantQrPerDay: number
  /** How many QR codes each instance makes in advance. */
  qrReady: number
  /** How many pages may wait at one instance. */
  waiters: WaiterLimits
  /** The limit of open sockets of one instance. It is higher than the limit of waiting pages, so that WeChat and health probes can connect. */
  maxConnections: number
  rules: Rules
  replies: { texts: ReplyTexts; lang: Language }
  /** The receivers of the environment and of `webhooksFile`. */
  webhooks: WebhookReceivers
  /** A JSON file with webhook receivers. */
  webhooksFile: string | undefined
  /** Whether the server keeps the `X-Request-Id` of a request, because the operator's own proxy has set it. */
  trustProxy: boolean
  forwardUrl: string | undefined
  /** Whether messages about binding are sent to `forwardUrl` too. */
  forwardAll: boolean
  /** Whether WeChat gets an error for a message that `forwardUrl` did not accept, so that WeChat sends the message again. */
  forwardErrors: 'retry' | 'hide'
  logLevel: string
  /** Variables that look like settings but are not. They may belong to another program. */
  unknownNames: string[]
}

const DATABASE_URL = /^(sqlite:.+|postgres(ql)?:\/\/\S+)$/

/** Throws `BAD_CONFIG`. The message names each missing or malformed setting in English and Chinese. */
export function parseConfig(env: Env, readKeys: ReadKeyFile = parseKeyFile): Config {
  const reader = createEnvReader(env)
  const port = reader.integer('PORT', 0, 65_535, 4000)
  const ops = parseOps(reader, port)
  const oauth = parseOauth(reader)
  const settings = {
    wechat: parseWechat(reader),
    oauth,
    accountName: reader.optional('ACCOUNT_NAME', /^[^\p{Cc}]{1,64}$/u, {
      en: 'must be the name of the Official Account, at most 64 characters, or be left out',
      zh: '须为公众号名称，最多 64 个字符，或不设置',
    }),
    ...parseBindKeys(reader, readKeys),
    databaseUrl: parseDatabaseUrl(reader),
    allowedOrigins: reader.origins('ALLOWED_ORIGINS'),
    host: reader.text('HOST'),
    publicUrl: reader.url('PUBLIC_URL', undefined)?.replace(/\/+$/, ''),
    port,
    ops,
    console: parseConsole(reader, [
      { name: 'PORT', port },
      { name: 'OPS_PORT', port: ops?.port },
    ]),
    ticketTtlMs: reader.integer('TICKET_TTL', 60, 2_592_000, 120) * 1000,
    qrPerMinute: reader.integer('QR_PER_MINUTE', 1, 1000, 10),
    qrPerHour: reader.integer('QR_PER_HOUR', 1, 60_000, 60),
    qrPerDay: reader.integer('QR_PER_DAY', 1, 1_000_000, 200),
    tenantQrPerMinute: reader.integer('QR_PER_MINUTE_TENANT', 1, 1_000_000, 1000),
    tenantQrPerDay: reader.integer('QR_PER_DAY_TENANT', 1, 1_000_000_000, 50_000),
    qrReady: reader.integer('QR_READY', 0, 100, 4),
    waiters: {
      inAll: reader.integer('MAX_WAITERS', 1, 1_000_000, 20_000),
      perTenant: reader.integer('MAX_WAITERS_TENANT', 1, 1_000_000, 10_000),
      perUser: reader.integer('MAX_WAITERS_USER', 1, 1000, 20),
    },
    maxConnections: reader.integer('MAX_CONNECTIONS', 10, 1_100_000, 25_000),
    rules: {
      conflict: parseConflict(reader),
      confirm: reader.oneOf('CONFIRM', ['off', 'reply', 'code'], 'off'),
      unsubscribe: reader.oneOf('UNSUBSCRIBE', ['unbind', 'mark'], 'unbind'),
      oauth: oauth.isOn,
    },
    replies: {
      lang: reader.oneOf('REPLY_LANG', ['zh-CN', 'zh-TW', 'en'], 'zh-CN'),
      texts: Object.fromEntries(replyNames.map((name) => [name, reader.text(`REPLY_${name.toUpperCase()}`)])),
    },
    ...parseWebhooks(reader),
    trustProxy: reader.oneOf('TRUST_PROXY', ['true', 'false'], 'false') === 'true',
    forwardUrl: reader.url('FORWARD_URL', undefined),
    forwardAll: reader.oneOf('FORWARD_ALL', ['true', 'false'], 'false') === 'true',
    forwardErrors: reader.oneOf('FORWARD_ERRORS', ['retry', 'hide'], 'retry'),
    logLevel: reader.oneOf('LOG_LEVEL', ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'], 'info'),
  } satisfies Omit<Config, 'unknownNames'>
  const { keys, webhooks, maxConnections, waiters } = settings
  checkContradictions(reader, { keys, webhooks, maxConnections, maxWaiters: waiters.inAll })
  const unknownNames = checkNames(reader)
  if (reader.faults.length > 0) throw new BindError('BAD_CONFIG', toMessage(reader.faults))
  return { ...settings, unknownNames }
}

/** Reads one setting, for a command that uses no other setting. Throws `BAD_CONFIG`. */
export function readDatabaseUrl(env: Env): string {
  const reader = createEnvReader(env)
  const url = parseDatabaseUrl(reader)
  throwFaults(reader)
  return url
}

/** Reads one setting, for a command that uses no other setting. Throws `BAD_CONFIG`. */
export function readWebhookSettings(env: Env): Pick<Config, 'databaseUrl' | 'webhooks'> {
  const reader = createEnvReader(env)
  const settings = { databaseUrl: parseDatabaseUrl(reader), ...parseWebhooks(reader) }
  throwFaults(reader)
  return settings
}

/** Reads one setting, for a command that uses no other setting. Throws `BAD_CONFIG`. */
export function readBindKeys(env: Env): BindKey[] {
  const reader = createEnvReader(env)
  const { keys } = parseBindKeys(reader, parseKeyFile)
  throwFaults(reader)
  return keys
}

export function throwFaults({ faults }: EnvReader): void {
  if (faults.length > 0) throw new BindError('BAD_CONFIG', faults.join('\n'))
}

export const parseConflict = (reader: EnvReader) => reader.oneOf('CONFLICT', ['reject', 'replace', 'allow'], 'reject')

export const parseDatabaseUrl = (reader: EnvReader) =>
  reader.matching('DATABASE_URL', DATABASE_URL, 'sqlite:./data/wechat-bind.db', {
    en: 'must be sqlite:<file>, for example sqlite:./data/wechat-bind.db, or postgres://user:password@host/database',
    zh: '须为 sqlite:<文件>（例如 sqlite:./data/wechat-bind.db）或 postgres://用户:密码@主机/数据库',
  })

function parseBindKeys(reader: EnvReader, readKeys: ReadKeyFile): Pick<Config, 'keys' | 'keysFile'> {
  const keysFile = reader.text('BIND_KEYS_FILE')
  if (keysFile === undefined) return { keys: reader.parsed('BIND_KEYS', parseKeys, []), keysFile }
  // Reads a setting that is not used, so that its name is known.
  reader.text('BIND_KEYS')
  return { keys: reader.parsed('BIND_KEYS_FILE', readKeys, []), keysFile }
}

export function parseWebhooks(reader: EnvReader): Pick<Config, 'webhooks' | 'webhooksFile'> {
  const webhooks = parseWebhookReceivers(reader)
  const webhooksFile = reader.text('WEBHOOKS_FILE')
  if (webhooksFile === undefined) return { webhooks, webhooksFile }
  return { webhooks: webhooks.withFile(reader.parsed('WEBHOOKS_FILE', readWebhooksFile, [])), webhooksFile }
}

/** The default host is the loopback address, because metrics and probes are internal. */
function parseOps(reader: EnvReader, mainPort: number): Config['ops'] {
  const port = reader.optionalInteger('OPS_PORT', 0, 65_535)
  const host = reader.text('OPS_HOST')
  if (host !== undefined && reader.text('OPS_PORT') === undefined) {
    reader.addFault('OPS_HOST', {
      en: 'needs OPS_PORT: without OPS_PORT, metrics and probes are on PORT',
      zh: '须与 OPS_PORT 同时设置：未设置 OPS_PORT 时，指标与探针在 PORT 上',
    })
  }
  if (port !== undefined && port !== 0 && port === mainPort) {
    reader.addFault('OPS_PORT', { en: 'must differ from PORT', zh: '须与 PORT 不同' })
  }
  return port === undefined ? undefined : { host: host ?? '127.0.0.1', port }
}

const toMessage = (faults: string[]) =>
  [
    `wechat-bind cannot start: ${counted(faults.length, 'setting')} ${faults.length === 1 ? 'is' : 'are'} missing, malformed or unknown.`,
    `wechat-bind 无法启动：有 ${faults.length} 项配置缺失、格式错误或不存在。`,
    ...faults.map((fault) => `  - ${fault}`),
  ].join('\n')
