/** The playground's words. What the element is called to have, attributes, slots and so on, has the same name in every language. */
import type { Language } from './settings.ts'
import { type CommonWords, commonWords } from './words/common.ts'

const en = {
  title: 'Playground',
  attributes: 'Attributes',
  slots: 'Slots',
  styles: 'Custom properties',
  parts: 'Parts',
  partsLead: 'Press one to see its outline.',
  words: 'Words',
  wordsLead: 'The property messages puts yours in place of ours.',
  methods: 'Methods',
  scan: 'Scan and follow',
  unfollow: 'Unfollow',
  events: 'Events',
  noEvents: 'Nothing has been told yet.',
  code: 'Code',
  copy: 'Copy',
  reset: 'Start over',
  direction: 'Direction',
  fourDigits: 'Four digits',
}

type PlaygroundWords = typeof en

const zhCN: PlaygroundWords = {
  title: '试验场',
  attributes: '属性',
  slots: '插槽',
  styles: '自定义属性',
  parts: '部件',
  partsLead: '点一下，看它的轮廓。',
  words: '文案',
  wordsLead: '用 messages 换成你自己的文字。',
  methods: '方法',
  scan: '扫码并关注',
  unfollow: '取消关注',
  events: '事件',
  noEvents: '还没有事件。',
  code: '代码',
  copy: '复制',
  reset: '重新开始',
  direction: '书写方向',
  fourDigits: '四位数字',
}

const zhTW: PlaygroundWords = {
  title: '試驗場',
  attributes: '屬性',
  slots: '插槽',
  styles: '自訂屬性',
  parts: '部件',
  partsLead: '點一下，看它的輪廓。',
  words: '文案',
  wordsLead: '用 messages 換成你自己的文字。',
  methods: '方法',
  scan: '掃碼並關注',
  unfollow: '取消關注',
  events: '事件',
  noEvents: '還沒有事件。',
  code: '程式碼',
  copy: '複製',
  reset: '重新開始',
  direction: '書寫方向',
  fourDigits: '四位數字',
}

export type PlaygroundMessages = CommonWords & PlaygroundWords

export const playgroundMessages: Record<Language, PlaygroundMessages> = {
  'zh-CN': { ...commonWords['zh-CN'], ...zhCN },
  'zh-TW': { ...commonWords['zh-TW'], ...zhTW },
  en: { ...commonWords.en, ...en },
}
