/** The settings of the page. The URL contains the settings and the demo's conditions, so that a link reproduces a bug. */
import { type ConditionName, type Conditions, conditionNames, conditionValues } from '../conditions.ts'
import type { WireKind } from '../simulator/traffic-log.ts'
import { findUser, people, users } from '../users.ts'

export const languages = ['zh-CN', 'zh-TW', 'en'] as const

/** The values of each setting. The first value is the default. */
export const settingValues = {
  theme: ['auto', 'light', 'dark'],
  /** The person with the phone. */
  person: people,
  /**
   * The browser that displays the host site: the tester's browser, or a simulated desktop browser, WeChat browser or
   * mobile browser.
   */
  context: ['auto', 'desktop', 'wechat', 'mobile'],
  /** The network between the element and the bind server. */
  network: ['up', 'slow', 'down'],
  /**
   * How long the person stays on the follow page before following. After five minutes WeChat sends the follow without
   * the scene of the QR code.
   */
  follow: ['quick', 'slow'],
  /** The result when the person opens a web authorization (the tap inside WeChat). */
  authorize: ['allow', 'decline', 'snapshot'],
  /** The element's attribute `refresh`. */
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
  /** The displayed kinds of traffic. An empty list displays all kinds. */
  wire: WireKind[]
  /** The search text of the traffic log. */
  q: string
}

const settingNames = Object.keys(settingValues) as SettingName[]

/**
 * Parses the settings of a query. A missing or invalid setting gets its default. The default language is the language
 * of the browser.
 */
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

/** Writes the settings that differ from the defaults into a query. Other parameters of the query stay. */
export function toSearch(settings: Settings, search: string): string {
  const query = new URLSearchParams(search)
  const put = (name: string, value: string, defaultValue: string) =>
    value === defaultValue ? query.delete(name) : query.set(name, value)
  query.set('lang', settings.lang)
  put('user', settings.user, users[0].id)
  for (const name of settingNames) put(name, settings[name], settingValues[name][0])
  put('wire', settings.wire.join(','), '')
  put('q', settings.q, '')
  return toText(query)
}

/** Writes the conditions that differ from the defaults into a query. */
export function withConditions(search: string, conditions: Conditions, defaults: Conditions): string {
  const query = new URLSearchParams(search)
  for (const name of conditionNames) {
    if (conditions[name] === defaults[name]) query.delete(name)
    else query.set(name, conditions[name])
  }
  return toText(query)
}

/** Returns the conditions in a query. Invalid conditions are ignored. */
export function readConditions(search: string): Partial<Record<ConditionName, string>> {
  const query = new URLSearchParams(search)
  const named = (name: ConditionName) => oneOf<string>(conditionValues[name], query.get(name))
  return Object.fromEntries(conditionNames.flatMap((name) => (named(name) ? [[name, named(name)]] : [])))
}

// The comma is not encoded. It is valid in a query and easier to read than %2C.
const toText = (query: URLSearchParams) => `?${query}`.replaceAll('%2C', ',')

function oneOf<T extends string>(values: readonly T[], value: string | null): T | undefined {
  return values.find((one) => one === value)
}

/**
 * Returns the first of the browser's languages that the page supports. The languages of Hong Kong and Macau give
 * Traditional Chinese.
 */
export function toLanguage(preferred: readonly string[]): Language {
  for (const tag of preferred) {
    if (/^zh-(TW|HK|MO|Hant)/i.test(tag)) return 'zh-TW'
    if (/^zh\b/i.test(tag)) return 'zh-CN'
    if (/^en\b/i.test(tag)) return 'en'
  }
  return 'en'
}
