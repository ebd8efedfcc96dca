/** The playground's texts. Names of attributes, slots and other API names are not translated. */
import type { Language } from './settings.ts'
import { type CommonWords, commonWords } from './words/common.ts'

const en = {
  title: 'Playground',
  attributes: 'Attributes',
  slots: 'Slots',
  styles: 'Custom properties',
  parts: 'Parts',
  partsLead: 'Press the name of a part to outline the part.',
  words: 'Texts',
  wordsLead: 'The property messages replaces the built-in texts.',
  methods: 'Methods',
  scan: 'Scan and follow',
  unfollow: 'Unfollow',
  events: 'Events',
  noEvents: 'No events yet.',
  code: 'Code',
  copy: 'Copy',
  reset: 'Reset',
  direction: 'Direction',
  fourDigits: 'Four digits',
}

type PlaygroundWords = typeof en

const zhCN: PlaygroundWords = {
  title: '在线调试',
  attributes: '属性',
  slots: '插槽',
  styles: '自定义属性',
  parts: '部件',
  partsLead: '点击部件以显示其轮廓。',
  words: '文案',
  wordsLead: '通过 messages 属性替换内置文案。',
  methods: '方法',
  scan: '扫码并关注',
  unfollow: '取消关注',
  events: '事件',
  noEvents: '暂无事件。',
  code: '代码',
  copy: '复制',
  reset: '重置',
  direction: '书写方向',
  fourDigits: '四位数字',
}

const zhTW: PlaygroundWords = {
  title: '線上偵錯',
  attributes: '屬性',
  slots: '插槽',
  styles: '自訂屬性',
  parts: '部件',
  partsLead: '點選部件以顯示其輪廓。',
  words: '文案',
  wordsLead: '透過 messages 屬性取代內建文案。',
  methods: '方法',
  scan: '掃碼並關注',
  unfollow: '取消關注',
  events: '事件',
  noEvents: '尚無事件。',
  code: '程式碼',
  copy: '複製',
  reset: '重設',
  direction: '書寫方向',
  fourDigits: '四位數字',
}

export type PlaygroundMessages = CommonWords & PlaygroundWords

export const playgroundMessages: Record<Language, PlaygroundMessages> = {
  'zh-CN': { ...commonWords['zh-CN'], ...zhCN },
  'zh-TW': { ...commonWords['zh-TW'], ...zhTW },
  en: { ...commonWords.en, ...en },
}
