/** All texts of the console in all languages. */
import type { Words } from '../server/console/wire.ts'
import type { Language } from './preferences.ts'
import { en, type Texts } from './words/en.ts'
import { zhCN } from './words/zh-cn.ts'
import { zhTW } from './words/zh-tw.ts'

export type { Texts } from './words/en.ts'

export const messages: Record<Language, Texts> = { 'zh-CN': zhCN, 'zh-TW': zhTW, en }

/** The name of each language in that language. */
export const languageNames: Record<Language, string> = { 'zh-CN': '简体', 'zh-TW': '繁體', en: 'EN' }

/** The server sends texts in English and in Simplified Chinese. */
export const wordsOf = ({ en, zh }: Words, lang: Language): string => (lang === 'en' ? en : zh)
