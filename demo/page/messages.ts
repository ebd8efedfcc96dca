/** All texts of the QA page in all languages. The element has its own texts. */
import type { Language } from './settings.ts'
import { type CommonWords, commonWords } from './words/common.ts'
import { en, type Words } from './words/en.ts'
import { zhCN } from './words/zh-cn.ts'
import { zhTW } from './words/zh-tw.ts'

export type Messages = CommonWords & Words

export const messages: Record<Language, Messages> = {
  'zh-CN': { ...commonWords['zh-CN'], ...zhCN },
  'zh-TW': { ...commonWords['zh-TW'], ...zhTW },
  en: { ...commonWords.en, ...en },
}
