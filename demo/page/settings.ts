/** What the page itself can be set to. All of it lives in the URL beside the demo's conditions, so that a bug report is a link. */
import { type ConditionName, type Conditions, conditionNames, conditionValues } from '../conditions.ts'
import type { WireKind } from '../simulator/traffic-log.ts'
import { findUser, people, users } from '../users.ts'

export const languages = ['zh-CN', 'zh-TW', 'en'] as const

/** Each with its values, the usual one first. */
export const settingValues = {
  theme: ['auto', 'light', 'dark'],
  /** Who holds the phone. */
  person: people,
  /** Where the host site is open: in this browser, on a screen, in WeChat's own browser, or in another one on the phone. */
  context: ['auto', 'desktop', 'wechat', 'mobile'],
  /** Between this page's element and the bind server. */
  network: ['up', 'slow', 'down'],
  /** How long a newcomer stays on the follow page: five minutes lose the scene. */
  follow: ['quick', 'slow'],
  /** The element's attribute. */
  refresh: ['auto', 'manual'],
} as const

export const wireKinds = [
  'browser',
  'api',
  'callback',
  'check',
  'wechat',
  'webhook',
  'event',
] as const satisfies WireKind[]

export type Language = (typeof languages)[number]
export type Theme = (typeof settingValues.theme)[number]
export type Person = (typeof people)[number]

type SettingName = keyof typeof settingValues

export type Settings = { [N in SettingName]: (typeof settingValues)[N][number] } & {
  lang: Language
  user: string
  /** The kinds that the wire shows; none: all. */
  wire: WireKind[]
  /** What it is searched for. */
  q: string
}

const settingNames = Object.keys(settingValues) as SettingName[]

/** The settings of a query; what it lacks or spells wrong is the usual one, and the language is the browser's. */
export function parseSettings(search: string, preferred: readonly string[]): Settings {
  const query = new URLSearchParams(search)
  const chosen = settingNames.map((name) => [
    name,
    oneOf(settingValues[name], query.get(name)) ?? settingValues[name][0],
  ])
  const kinds = query.get('wire')?.split(',') ?? []
  return {
    ...(Object.fromEntries(chosen) as Pick<Settings, SettingName>),
    lang: oneOf(languages, query.get('lang')) ?? toLanguage(preferred),
    user: (findUser(query.get('user')) ?? users[0]).id,
    wire: wireKinds.filter((kind) => kinds.includes(kind)),
    q: query.get('q') ?? '',
  }
}

/** `search` with the settings in it, the usual ones left out. What else it holds stays: another page of links may rely on it. */
export function toSearch(settings: Settings, search: string): string {
  const query = new URLSearchParams(search)
  const put = (name: string, value: string, usual: string) =>
    value === usual ? query.delete(name) : query.set(name, value)
  query.set('lang', settings.lang)
  put('user', settings.user, users[0].id)
  for (const name of settingNames) put(name, settings[name], settingValues[name][0])
  put('wire', settings.wire.join(','), '')
  put('q', settings.q, '')
  return toText(query)
}

/** `search` with the conditions that are not as usual, and no others. */
export function withConditions(search: string, conditions: Conditions, usual: Conditions): string {
  const query = new URLSearchParams(search)
  for (const name of conditionNames) {
    if (conditions[name] === usual[name]) query.delete(name)
    else query.set(name, conditions[name])
  }
  return toText(query)
}

/** The conditions that a query names; what it spells wrong is as usual. */
export function readConditions(search: string): Partial<Record<ConditionName, string>> {
  const query = new URLSearchParams(search)
  const named = (name: ConditionName) => oneOf<string>(conditionValues[name], query.get(name))
  return Object.fromEntries(conditionNames.flatMap((name) => (named(name) ? [[name, named(name)]] : [])))
}

// A comma between the kinds of the wire is allowed in a query as it is, and easier to read.
const toText = (query: URLSearchParams) => `?${query}`.replaceAll('%2C', ',')

function oneOf<T extends string>(values: readonly T[], value: string | null): T | undefined {
  return values.find((one) => one === value)
}

/** The first preferred language that there is: Hong Kong and Macau read Traditional Chinese too. */
export function toLanguage(preferred: readonly string[]): Language {
  for (const tag of preferred) {
    if (/^zh-(TW|HK|MO|Hant)/i.test(tag)) return 'zh-TW'
    if (/^zh\b/i.test(tag)) return 'zh-CN'
    if (/^en\b/i.test(tag)) return 'en'
  }
  return 'en'
}
