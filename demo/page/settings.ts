/** What the top bar sets. All of it lives in the URL, so that a bug report is a link. */
import { findUser, users } from '../users.ts'

export const languages = ['zh-CN', 'zh-TW', 'en'] as const
export const themes = ['auto', 'light', 'dark'] as const
/** The people who hold a phone, as the simulator names them. */
export const people = ['amy', 'bo'] as const

export type Language = (typeof languages)[number]
export type Theme = (typeof themes)[number]
export type Person = (typeof people)[number]

export type Settings = { lang: Language; theme: Theme; user: string; person: Person }

/** The settings of a query; what it lacks or spells wrong is the default, and the language is the browser's. */
export function parseSettings(search: string, preferred: readonly string[]): Settings {
  const query = new URLSearchParams(search)
  return {
    lang: oneOf(languages, query.get('lang')) ?? toLanguage(preferred),
    theme: oneOf(themes, query.get('theme')) ?? 'auto',
    user: (findUser(query.get('user')) ?? users[0]).id,
    person: oneOf(people, query.get('person')) ?? 'amy',
  }
}

/** `search` with the settings in it. What else it holds stays: another page of links may rely on it. */
export function toSearch(settings: Settings, search: string): string {
  const query = new URLSearchParams(search)
  for (const [name, value] of Object.entries(settings)) query.set(name, value)
  return `?${query}`
}

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
