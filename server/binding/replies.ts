/** The replies of the Official Account in the chat, in every language. */
import type { Language } from '../store/store.ts'
import { toPlainLabel } from './label.ts'

export const replyNames = [
  'bound',
  'already_bound',
  'used',
  'expired',
  'conflict',
  'confirm_reply',
  'confirm_code',
  'unbound',
  'cancelled',
  'not_bound',
  'wrong_code',
  'too_many_codes',
  'scan_again',
] as const

export type ReplyName = (typeof replyNames)[number]

/**
 * A reply before it is rendered as text. `user` is the user whose label the text shows; `question` is the ticket that a tap on
 * `{confirm}` confirms.
 */
export type Reply = {
  name: ReplyName
  lang: Language
  label: string | null
  user?: number
  digits?: string
  question?: number
}

/** The texts that the operator sets with `REPLY_<NAME>`. `{label}`, `{digits}` and `{confirm}` are placeholders. */
export type ReplyTexts = Partial<Record<ReplyName, string>>

// A tap on this link sends the word as a message from the user, with `msgmenuid` as its `bizmsgmenuid`.
const tappable = (word: string, question: number) =>
  `<a href="weixin://bizmsgmenu?msgmenucontent=${encodeURIComponent(word)}&msgmenuid=${QUESTION_PREFIX}${question}">${word}</a>`

const QUESTION_PREFIX = 'wb1_'
const QUESTION = new RegExp(`^${QUESTION_PREFIX}(\\d{1,15})$`)

/** Returns the ticket that a tapped link names, or undefined for a link of another system. */
export function questionOf(menuId: string): number | undefined {
  const ticket = QUESTION.exec(menuId)?.[1]
  return ticket === undefined ? undefined : Number(ticket)
}

type Words = {
  texts: Record<ReplyName, string>
  /** The text in place of an unknown label. */
  yourAccount: string
  /** Puts the label in quotation marks, so that it does not look like a part of the message. */
  quoted: (label: string) => string
  /** The word that confirms a scan. */
  confirm: string
}

const words: Record<Language, Words> = {
  'zh-CN': {
    yourAccount: '您的账号',
    quoted: (label) => `“${label}”`,
    confirm: '确认绑定',
    texts: {
      bound: '已绑定{label}。\n不是您本人操作？回复“解绑”即可撤销。',
      already_bound: '此微信已绑定{label}，无需重复操作。\n如需解绑，请回复“解绑”。',
      used: '此二维码已被使用，绑定未作更改。请在网页上刷新二维码后再扫。',
      expired: '此二维码已失效，绑定未作更改。请在网页上刷新二维码后再扫。',
      conflict: '此微信已绑定其他账号，未能绑定{label}。请先在原账号解绑，或回复“解绑”后重新扫码。',
      confirm_reply: '是否将此微信绑定到{label}？\n请在两分钟内点击：{confirm}\n不是您本人操作？请忽略，或回复“解绑”。',
      confirm_code:
        '正在绑定{label}。\n请在两分钟内于网页输入：{digits}\n不要把数字告诉任何人。不是您本人操作？请忽略，或回复“解绑”。',
      unbound: '已将此微信与{label}解绑。',
      cancelled: '已取消绑定{label}。',
      not_bound: '此微信没有绑定任何账号。',
      wrong_code: '绑定码不正确或已失效。请核对网页上显示的绑定码。',
      too_many_codes: '尝试次数过多，请一小时后再试。',
      scan_again: '感谢关注。如需绑定账号，请再扫一次网页上的二维码。',
    },
  },
  'zh-TW': {
    yourAccount: '您的帳號',
    quoted: (label) => `「${label}」`,
    confirm: '確認綁定',
    texts: {
      bound: '已綁定{label}。\n不是您本人操作？回覆「解綁」即可撤銷。',
      already_bound: '此微信已綁定{label}，無須重複操作。\n如需解綁，請回覆「解綁」。',
      used: '此 QR 碼 已被使用，綁定未作變更。請在網頁上重新整理 QR 碼 後再掃。',
      expired: '此 QR 碼 已失效，綁定未作變更。請在網頁上重新整理 QR 碼 後再掃。',
      conflict: '此微信已綁定其他帳號，未能綁定{label}。請先在原帳號解綁，或回覆「解綁」後重新掃描。',
      confirm_reply:
        '是否將此微信綁定到{label}？\n請在兩分鐘內點選：{confirm}\n不是您本人操作？請忽略，或回覆「解綁」。',
      confirm_code:
        '正在綁定{label}。\n請在兩分鐘內於網頁輸入：{digits}\n不要把數字告訴任何人。不是您本人操作？請忽略，或回覆「解綁」。',
      unbound: '已將此微信與{label}解綁。',
      cancelled: '已取消綁定{label}。',
      not_bound: '此微信沒有綁定任何帳號。',
      wrong_code: '綁定碼不正確或已失效。請核對網頁上顯示的綁定碼。',
      too_many_codes: '嘗試次數過多，請一小時後再試。',
      scan_again: '感謝關注。如需綁定帳號，請再掃一次網頁上的 QR 碼。',
    },
  },
  en: {
    yourAccount: 'your account',
    quoted: (label) => `“${label}”`,
    confirm: 'Confirm',
    texts: {
      bound: 'This WeChat is now bound to {label}.\nNot you? Reply “unbind” to undo.',
      already_bound: 'This WeChat is already bound to {label}.\nTo unbind it, reply “unbind”.',
      used: 'This QR code has been used. Nothing was changed. Refresh it on the page and scan again.',
      expired: 'This QR code no longer works. Nothing was changed. Refresh it on the page and scan again.',
      conflict:
        'This WeChat is bound to another account, so it was not bound to {label}. Unbind it there, or reply “unbind” and scan again.',
      confirm_reply:
        'Bind this WeChat to {label}?\nWithin two minutes, tap: {confirm}\nNot you? Ignore this, or reply “unbind”.',
      confirm_code:
        'Binding this WeChat to {label}.\nWithin two minutes, type on the page: {digits}\nDo not share these digits. Not you? Ignore this, or reply “unbind”.',
      unbound: 'This WeChat is no longer bound to {label}.',
      cancelled: 'Binding this WeChat to {label} was cancelled.',
      not_bound: 'This WeChat is not bound to any account.',
      wrong_code: 'This code is wrong or no longer works. Check the code on the page.',
      too_many_codes: 'Too many attempts. Try again in an hour.',
      scan_again: 'Thank you for following. To bind your account, scan the QR code on the page again.',
    },
  },
}

/** The words that a user can send, in all languages. Case does not matter. */
export const commands = {
  unbind: /^(解绑|解綁|unbind|unlink|undo)$/i,
  confirm: /^(确认绑定|確認綁定|确认|確認|confirm|yes)$/i,
  bind: /^(?:绑定|綁定|bind)[\s:：]*([2-9a-hjkmnp-z]{8})$/i,
}

/** Renders a reply as text. Without a visible label the text says "your account". */
export function toText({ name, lang, label, digits = '', question = 0 }: Reply, overrides: ReplyTexts): string {
  const { texts, yourAccount, quoted, confirm } = words[lang]
  const plain = label === null ? null : toPlainLabel(label)
  const values = {
    label: plain === null ? yourAccount : quoted(plain),
    digits,
    confirm: tappable(confirm, question),
  }
  return (overrides[name] ?? texts[name]).replace(
    /\{(label|digits|confirm)\}/g,
    (_, key: keyof typeof values) => values[key],
  )
}

const languages: [pattern: RegExp, lang: Language][] = [
  [/^zh-(tw|hk|mo|hant)/i, 'zh-TW'],
  [/^zh/i, 'zh-CN'],
  [/^en/i, 'en'],
]

/** Returns the first language of `Accept-Language` in which replies exist. */
export function toLanguage(acceptLanguage: string | undefined, fallback: Language): Language {
  for (const range of (acceptLanguage ?? '').split(',')) {
    const known = languages.find(([pattern]) => pattern.test(range.trim()))
    if (known) return known[1]
  }
  return fallback
}
