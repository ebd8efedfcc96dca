/** Texts that the QA page and the playground share. */
import type { Language } from '../settings.ts'

const en = {
  language: 'Language',
  theme: 'Theme',
  auto: 'System',
  light: 'Light',
  dark: 'Dark',
  phone: 'Phone',
  clear: 'Clear',
  copied: 'Copied',
}

export type CommonWords = typeof en

export const commonWords: Record<Language, CommonWords> = {
  en,
  'zh-CN': {
    language: '语言',
    theme: '主题',
    auto: '跟随系统',
    light: '浅色',
    dark: '深色',
    phone: '手机',
    clear: '清空',
    copied: '已复制',
  },
  'zh-TW': {
    language: '語言',
    theme: '主題',
    auto: '跟隨系統',
    light: '淺色',
    dark: '深色',
    phone: '手機',
    clear: '清空',
    copied: '已複製',
  },
}

/** The name of each language in that language. */
export const languageNames: Record<Language, string> = { 'zh-CN': '简体', 'zh-TW': '繁體', en: 'EN' }
