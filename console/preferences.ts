/** The language and the theme of the console, kept in the browser's storage. */

export const languages = ['zh-CN', 'zh-TW', 'en'] as const
export const themes = ['auto', 'light', 'dark'] as const

export type Language = (typeof languages)[number]
export type Theme = (typeof themes)[number]
export type Preferences = { lang: Language; theme: Theme }

const KEY = 'wechat-bind-console'

/** A missing or invalid preference gets its default: the browser's language, and the system's theme. */
export function readPreferences(storage: Storage, preferred: readonly string[]): Preferences {
  const { lang, theme } = readStored(storage)
  return {
    lang: languages.find((one) => one === lang) ?? toLanguage(preferred),
    theme: themes.find((one) => one === theme) ?? 'auto',
  }
}

function readStored(storage: Storage): { lang?: unknown; theme?: unknown } {
  try {
    return JSON.parse(storage.getItem(KEY) ?? '{}') ?? {}
  } catch {
    // The text is not JSON, or the browser blocks the storage.
    return {}
  }
}

export function writePreferences(storage: Storage, preferences: Preferences): void {
  try {
    storage.setItem(KEY, JSON.stringify(preferences))
  } catch {
    // The browser blocks the storage, or it is full: the choice lasts until the page is closed.
  }
}

/** The first supported language of the browser. Hong Kong and Macau get Traditional Chinese. */
export function toLanguage(preferred: readonly string[]): Language {
  for (const tag of preferred) {
    if (/^zh-(TW|HK|MO|Hant)/i.test(tag)) return 'zh-TW'
    if (/^zh\b/i.test(tag)) return 'zh-CN'
    if (/^en\b/i.test(tag)) return 'en'
  }
  return 'en'
}
