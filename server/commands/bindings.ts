/**
 * `wechat-bind bindings`: lists, shows, removes, exports, imports and moves bindings in the store of `DATABASE_URL`, whether servers
 * use the store or not. Node only.
 */
import { existsSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import type { ImportConflict } from '../binding/import.ts'
import { type Env, readDatabaseUrl } from '../config/config.ts'
import { type OperatorSettings, readOperatorSettings } from '../config/operator-settings.ts'
import { BindError } from '../errors.ts'
import { createKeyedHash } from '../keys/keyed-hash.ts'
import type { Fetch } from '../platform.ts'
import type { BindingFilter } from '../store/binding-walk.ts'
import { openStore } from '../store/open-store.ts'
import type { Identity, Store } from '../store/store.ts'
import { createAccessTokens } from '../wechat/access-token.ts'
import { createWechatApi } from '../wechat/api.ts'
import { readArguments } from './arguments.ts'
import { erase, unbindUser } from './bindings/end.ts'
import { exportAll } from './bindings/export.ts'
import { batchOf, importBindings } from './bindings/import.ts'
import { type ListFormat, listAll } from './bindings/list.ts'
import { moveAll } from './bindings/move-openids.ts'
import { showUser } from './bindings/show.ts'
import { toUnixSeconds } from './bindings/time.ts'
import type { Terminal } from './terminal.ts'

const usage = `wechat-bind bindings <command> [--tenant TENANT]

  list [--json|--csv] [--account A] [--openid O] [--unionid U] [--since DATE] [--until DATE]
                              the bindings: a table, NDJSON or CSV      列出绑定：表格、NDJSON 或 CSV
  show ACCOUNT USER_ID [--json]
                              binding, history, valid QR codes          查看绑定、历史与有效的二维码
  unbind ACCOUNT USER_ID [--yes]
                              end a binding                             解绑
  erase ACCOUNT USER_ID [--yes]
                              delete all stored data of a user          抹除该用户的全部数据
  export [FILE]               NDJSON, one binding per line              导出为 NDJSON，每行一条绑定
  import FILE [--dry-run] [--conflict reject|skip|replace] [--account A] [--any-app-id]
                              NDJSON or CSV; can be repeated            导入 NDJSON 或 CSV，可重复运行
  move-openids --from APPID [--original-id gh_...] [--dry-run]
                              after an account's migration              公众号迁移后转换 openid

  DATE: Unix seconds, 2026-01-31 or 2026-01-31T08:00:00Z (UTC)          日期为 Unix 秒或 UTC 日期
  Exit codes: 0 done; 1 a fault, see the message; 3 done except for the lines that were reported
  退出码：0 完成；1 出错，见提示；3 除所报告的行外均已完成`

export type BindingsDeps = { env: Env; terminal: Terminal; clock?: () => number; fetch?: Fetch }

type Context = Required<BindingsDeps> & { args: string[] }

/** 0: done. 1: nothing was found, or the operator did not confirm. 3: done, except for the reported lines. */
type ExitCode = 0 | 1 | 3

const commands: Record<string, (context: Context) => Promise<ExitCode>> = {
  list,
  show,
  unbind: (context) => end(context, unbindUser),
  erase: (context) => end(context, erase),
  export: exportBindings,
  import: importFile,
  'move-openids': moveOpenids,
}

/** Returns the exit code. Throws a `BindError` with the fault and its fix. */
export async function runBindings(args: string[], deps: BindingsDeps): Promise<ExitCode> {
  const [name = '', ...rest] = args
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined
  if (!command) throw new BindError('BAD_REQUEST', usage)
  return command({ clock: Date.now, fetch: globalThis.fetch, ...deps, args: rest })
}

const tenantOption = { tenant: { type: 'string' } } as const

async function list({ args, env, terminal }: Context): Promise<ExitCode> {
  const { values } = readArguments(args, {
    usage,
    options: {
      ...tenantOption,
      json: { type: 'boolean' },
      csv: { type: 'boolean' },
      account: { type: 'string' },
      openid: { type: 'string' },
      unionid: { type: 'string' },
      since: { type: 'string' },
      until: { type: 'string' },
    },
  })
  if (values.json && values.csv)
    throw refused('--json and --csv cannot be used together', '--json 与 --csv 不能同时使用')
  const { since, until, json: _json, csv: _csv, ...same } = values
  const filter: BindingFilter = { ...same, boundSince: toMs('--since', since), boundUntil: toMs('--until', until) }
  if ((filter.boundSince ?? -1) >= (filter.boundUntil ?? Infinity)) {
    throw refused('--since must be before --until', '--since 须早于 --until')
  }
  const format: ListFormat = values.json ? 'json' : values.csv ? 'csv' : 'table'
  await withReadingStore(env, (store) => listAll({ store, terminal }, filter, format))
  return 0
}

async function show({ args, env, terminal, clock }: Context): Promise<ExitCode> {
  const { values, positionals } = readArguments(args, {
    usage,
    options: { ...tenantOption, json: { type: 'boolean', default: false } },
    positionals: 2,
  })
  const identity = toIdentity(positionals, values.tenant)
  const secret = env.WECHAT_APP_SECRET?.trim()
  const nameOf = ({ tenant, account, userId }: Identity) =>
    secret ? createKeyedHash(secret)('user', tenant, account, userId) : undefined
  const isFound = await withReadingStore(env, (store) =>
    showUser({ store, clock, terminal, nameOf }, identity, values.json),
  )
  return isFound ? 0 : 1
}

async function end({ args, env, terminal, clock }: Context, run: typeof unbindUser): Promise<ExitCode> {
  const { values, positionals } = readArguments(args, {
    usage,
    options: { ...tenantOption, yes: { type: 'boolean', default: false } },
    positionals: 2,
  })
  const options = { identity: toIdentity(positionals, values.tenant), isSure: values.yes }
  const settings = readOperatorSettings(env)
  return (await withExistingStore(settings, (store) => run({ store, clock, terminal }, options))) ? 0 : 1
}

async function exportBindings({ args, env, terminal }: Context): Promise<ExitCode> {
  const { values, positionals } = readArguments(args, { usage, options: tenantOption, positionals: 1 })
  await withReadingStore(env, (store) => exportAll({ store, terminal }, values, positionals[0]))
  return 0
}

const conflicts: ImportConflict[] = ['reject', 'skip', 'replace']

async function importFile({ args, env, terminal, clock }: Context): Promise<ExitCode> {
  const { values, positionals } = readArguments(args, {
    usage,
    options: {
      ...tenantOption,
      'dry-run': { type: 'boolean', default: false },
      conflict: { type: 'string' },
      account: { type: 'string' },
      'any-app-id': { type: 'boolean', default: false },
    },
    positionals: 1,
  })
  const [file] = positionals
  if (file === undefined) throw refused('the file is missing', '缺少文件')
  const conflict = conflicts.find((each) => each === values.conflict)
  if (values.conflict !== undefined && !conflict) {
    throw refused('--conflict must be reject, skip or replace', '--conflict 须为 reject、skip 或 replace')
  }
  const settings = readOperatorSettings(env)
  const options = {
    file,
    tenant: values.tenant,
    account: values.account,
    appId: settings.account.appId,
    conflict: conflict ?? settings.conflict,
    batch: batchOf(settings.databaseUrl),
    isDryRun: values['dry-run'],
    takesAnyAppId: values['any-app-id'],
  }
  const isWhole = await withStore(settings, (store) =>
    importBindings({ store, clock, terminal, delay: (ms) => delay(ms) }, options),
  )
  return isWhole === 'nothing' ? 1 : isWhole === 'all' ? 0 : 3
}

async function moveOpenids({ args, env, terminal, clock, fetch }: Context): Promise<ExitCode> {
  const { values } = readArguments(args, {
    usage,
    options: {
      ...tenantOption,
      from: { type: 'string' },
      'original-id': { type: 'string' },
      'dry-run': { type: 'boolean', default: false },
    },
  })
  const { from, tenant } = values
  if (from === undefined)
    throw refused('--from is missing: the AppID of the old account', '缺少 --from：旧账号的 AppID')
  const settings = readOperatorSettings(env)
  const { account } = settings
  const wechat = createWechatApi({
    ...account,
    accessTokens: createAccessTokens(account, { fetch, clock }),
    fetch,
    delay: (ms, signal) => delay(ms, undefined, { signal }),
  })
  const options = {
    from,
    originalId: values['original-id'],
    tenant,
    appId: account.appId,
    allowsMany: settings.conflict === 'allow',
    isDryRun: values['dry-run'],
  }
  return (await withExistingStore(settings, (store) => moveAll({ store, wechat, clock, terminal }, options))) ? 0 : 3
}

function toIdentity([account, userId]: string[], tenant = 'default'): Identity {
  if (account === undefined || userId === undefined)
    throw refused('ACCOUNT and USER_ID are missing', '缺少 ACCOUNT 与 USER_ID')
  return { tenant, account, userId }
}

function toMs(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const seconds = toUnixSeconds(text)
  if (seconds !== undefined) return seconds * 1000
  throw refused(
    `${name} must be Unix seconds (10 digits) or a date that exists, such as 2026-01-31 or 2026-01-31T08:00:00Z`,
    `${name} 须为 Unix 秒（10 位）或存在的日期，例如 2026-01-31 或 2026-01-31T08:00:00Z`,
  )
}

const refused = (en: string, zh: string) =>
  new BindError('BAD_REQUEST', `wechat-bind bindings: ${en}. ${zh}。\nUsage 用法: ${usage}`)

/** Reads the settings of commands that only read the store. Such commands need neither the AppSecret nor the webhook settings. */
function withReadingStore<T>(env: Env, run: (store: Store) => Promise<T>): Promise<T> {
  const store = { hashOf: (...parts: string[]) => parts.join(), hasWebhook: () => false }
  return withExistingStore({ databaseUrl: readDatabaseUrl(env), store }, run)
}

type StoreSettings = Pick<OperatorSettings, 'databaseUrl' | 'store'>

/**
 * Refuses a missing SQLite file, because opening it would create an empty store: `list` would then show no bindings, and `erase`
 * would find no user.
 */
function withExistingStore<T>(settings: StoreSettings, run: (store: Store) => Promise<T>): Promise<T> {
  const [, file] = /^sqlite:(.*)$/.exec(settings.databaseUrl) ?? []
  if (file !== undefined && !existsSync(file)) {
    throw new BindError(
      'BAD_CONFIG',
      `DATABASE_URL: there is no store at ${file}: run the command in the server's folder and with its environment.\n    ${file} 处没有存储：请在服务的目录下并使用其环境变量运行。`,
    )
  }
  return withStore(settings, run)
}

async function withStore<T>(
  { databaseUrl, store: settings }: StoreSettings,
  run: (store: Store) => Promise<T>,
): Promise<T> {
  const store = await openStore(databaseUrl, { ...settings, isCommand: true })
  try {
    return await run(store)
  } finally {
    await store.close()
  }
}
