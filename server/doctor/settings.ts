/** Reads the configuration. Each fault becomes a finding. The settings without a fault can still be checked. */
import { type Config, type Env, parseConfig } from '../config/config.ts'
import { type Bilingual, BindError } from '../errors.ts'
import type { ReadKeyFile } from '../keys/key-file.ts'
import type { BindKey } from '../keys/keyring.ts'
import { type Finding, ok, warn, wrong } from './finding.ts'

type ReadSettings = {
  /** Undefined if the configuration cannot be read even with placeholders. */
  config: Config | undefined
  /** The names of the faulty settings. For each of these, `config` has a placeholder or the default. */
  faulty: ReadonlySet<string>
  findings: Finding[]
}

type SettingFault = Bilingual & { name: string }

/** Valid values for the required settings, so that other settings can be read. Checks that need a faulty setting are skipped. */
const placeholders: Env = {
  WECHAT_APP_ID: 'wx0',
  WECHAT_APP_SECRET: '0',
  WECHAT_TOKEN: '000',
  WECHAT_ENCODING_AES_KEY: '0'.repeat(43),
  BIND_KEYS: `none:${'0'.repeat(43)}`,
}

/** `readKeys` reads BIND_KEYS_FILE. The check of the keys reports the faults of this file. */
export function readSettings(env: Env, readKeys: ReadKeyFile = () => []): ReadSettings {
  const first = parse(env, readKeys)
  if (!Array.isArray(first))
    return { config: first, faulty: new Set(), findings: [complete, ...first.unknownNames.map(unknownName)] }
  const second = parse({ ...env, ...Object.fromEntries(first.flatMap(placeholdersFor)) }, readKeys)
  return {
    config: Array.isArray(second) ? undefined : second,
    faulty: new Set(first.map(({ name }) => name)),
    findings: first.map(toFinding),
  }
}

/** If the URL or the secret of a webhook is faulty, both are left out, because one without the other would be another fault. */
function placeholdersFor({ name }: SettingFault): [string, string | undefined][] {
  // The limit of connections is compared with the limit of waiters.
  if (name === 'MAX_CONNECTIONS') return [name, 'MAX_WAITERS'].map((each) => [each, undefined])
  const [, suffix] = /^WEBHOOK_(?:URL|SECRET)(.*)$/.exec(name) ?? []
  return suffix === undefined
    ? [[name, placeholders[name]]]
    : [`WEBHOOK_URL${suffix}`, `WEBHOOK_SECRET${suffix}`].map((each) => [each, undefined])
}

function orNone(read: () => BindKey[]): BindKey[] {
  try {
    return read()
  } catch {
    return []
  }
}

function parse(env: Env, readKeys: ReadKeyFile): Config | SettingFault[] {
  try {
    return parseConfig(env, (path) => orNone(() => readKeys(path)))
  } catch (error) {
    if (error instanceof BindError && error.code === 'BAD_CONFIG') return toFaults(error.message)
    throw error
  }
}

/** Parses the message of a `BAD_CONFIG`. Each fault has a line with the name and the rule in English, then a line in Chinese. */
export function toFaults(message: string): SettingFault[] {
  return [...message.matchAll(/^(?: {2}- )?([A-Z][A-Z0-9_]+): (.+)\n {4}(.+)$/gm)].map(
    ([, name = '', en = '', zh = '']) => ({ name, en, zh }),
  )
}

/** The fix is the rule of the setting. */
export function toFinding({ name, en, zh }: SettingFault): Finding {
  return wrong(`config.${name}`, {
    en: `The setting ${name} is missing, malformed or unknown.`,
    zh: `配置项 ${name} 缺失、格式错误或不存在。`,
    fix: { en: `${name} ${en}.`, zh: `${name} ${zh}。` },
  })
}

const unknownName = (name: string): Finding =>
  warn('config.unknown', {
    en: `The variable ${name} is not a setting and has no effect.`,
    zh: `变量 ${name} 不是配置项，不起作用。`,
    fix: {
      en: 'Correct its name if it is meant for this server. If it belongs to another program, ignore this warning.',
      zh: '如果它是为本服务设置的，请改正名称；如属于其他程序，可忽略此警告。',
    },
  })

const complete = ok('config.ok', {
  en: 'The settings are complete and well formed.',
  zh: '配置完整，格式正确。',
})
