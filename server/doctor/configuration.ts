/** The configuration as far as it can be read: each fault is a finding, and what is right is checked all the same. */
import { type Config, type Env, parseConfig } from '../config/config.ts'
import type { Words } from '../config/env-reader.ts'
import { BindError } from '../errors.ts'
import { type Finding, ok, wrong } from './finding.ts'

export type Reading = {
  /** Undefined when not even the rest can be read. */
  config: Config | undefined
  /** Names of settings whose value in `config` is a stand-in. */
  faulty: ReadonlySet<string>
  findings: Finding[]
}

type Fault = Words & { name: string }

/** What lets the rest be read; a check that needs the setting itself is left out. */
const standIns: Env = {
  WECHAT_APP_ID: 'wx0',
  WECHAT_APP_SECRET: '0',
  WECHAT_TOKEN: '000',
  WECHAT_ENCODING_AES_KEY: '0'.repeat(43),
  BIND_KEYS: `none:${'0'.repeat(43)}`,
}

export function readConfiguration(env: Env): Reading {
  const first = parse(env)
  if (!Array.isArray(first)) return { config: first, faulty: new Set(), findings: [complete] }
  const rest = parse({ ...env, ...Object.fromEntries(first.map(standInFor)) })
  return {
    config: Array.isArray(rest) ? undefined : rest,
    faulty: new Set(first.map(({ name }) => name)),
    findings: first.map(toFinding),
  }
}

/** A secret at fault takes its webhook along: a URL alone would be the next fault. */
const standInFor = ({ name }: Fault): [string, string | undefined] =>
  name.startsWith('WEBHOOK_SECRET') ? [name.replace('SECRET', 'URL'), undefined] : [name, standIns[name]]

function parse(env: Env): Config | Fault[] {
  try {
    return parseConfig(env)
  } catch (error) {
    if (error instanceof BindError && error.code === 'BAD_CONFIG') return toFaults(error.message)
    throw error
  }
}

/** The faults that the message of a `BAD_CONFIG` lists: a name with its rule in English, and a line in Chinese. */
export function toFaults(message: string): Fault[] {
  return [...message.matchAll(/^(?: {2}- )?([A-Z][A-Z0-9_]+): (.+)\n {4}(.+)$/gm)].map(
    ([, name = '', en = '', zh = '']) => ({ name, en, zh }),
  )
}

/** The rule says what to do, so it stands as the fix. */
export function toFinding({ name, en, zh }: Fault): Finding {
  return wrong(`config.${name}`, {
    en: `The setting ${name} is missing or malformed.`,
    zh: `配置项 ${name} 缺失或格式不对。`,
    fix: { en: `${name} ${en}.`, zh: `${name} ${zh}。` },
  })
}

const complete = ok('config.ok', {
  en: 'The settings are complete and well formed.',
  zh: '配置齐全，格式正确。',
})
