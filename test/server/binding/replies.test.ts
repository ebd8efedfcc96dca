import { describe, expect, test } from 'vitest'
import { commands, type Reply, type ReplyName, toLanguage, toText } from '../../../server/binding/replies.ts'
import type { Language } from '../../../server/store/store.ts'

const languages: Language[] = ['zh-CN', 'zh-TW', 'en']

/** Every reply, and whether it names the account. */
const replies: [name: ReplyName, hasLabel: boolean][] = [
  ['bound', true],
  ['already_bound', true],
  ['used', false],
  ['expired', false],
  ['conflict', true],
  ['confirm_reply', true],
  ['confirm_code', true],
  ['unbound', true],
  ['cancelled', true],
  ['not_bound', false],
  ['wrong_code', false],
  ['too_many_codes', false],
  ['scan_again', false],
]

const cases = languages.flatMap((lang) => replies.map(([name, hasLabel]) => ({ lang, name, hasLabel })))

const reply = (name: ReplyName, lang: Language, more: Partial<Reply> = {}): Reply => ({
  name,
  lang,
  label: 'a***@example.com',
  digits: '0042',
  question: 7,
  ...more,
})

describe('toText', () => {
  test.each(cases)('writes $name in $lang, with every placeholder replaced', ({ lang, name, hasLabel }) => {
    const text = toText(reply(name, lang), {})
    expect(text).toMatch(lang === 'en' ? /^[A-Z][a-z]+ .+/ : /\p{Script=Han}{4}/u)
    expect(text).not.toMatch(/[{}]/)
    expect(text.includes('a***@example.com')).toBe(hasLabel)
    expect(text.includes('0042')).toBe(name === 'confirm_code')
    // A simplified text has 绑 and never 綁, and a traditional text has 綁 and never 绑.
    if (lang === 'zh-CN') expect(text).not.toContain('綁')
    if (lang === 'zh-TW') expect(text).not.toContain('绑')
  })

  test('puts the label into the quotation marks of the language', () => {
    expect(languages.map((lang) => toText(reply('cancelled', lang), {}))).toEqual([
      '已取消绑定“a***@example.com”。',
      '已取消綁定「a***@example.com」。',
      'Binding this WeChat to “a***@example.com” was cancelled.',
    ])
  })

  test('writes "your account" if no label is known', () => {
    expect(languages.map((lang) => toText(reply('cancelled', lang, { label: null }), {}))).toEqual([
      '已取消绑定您的账号。',
      '已取消綁定您的帳號。',
      'Binding this WeChat to your account was cancelled.',
    ])
  })

  test.each(languages)('offers in %s a link that sends a confirmation word', (lang) => {
    const text = toText(reply('confirm_reply', lang), {})
    const [, sent = '', word] =
      /<a href="weixin:\/\/bizmsgmenu\?msgmenucontent=([^&"]+)&msgmenuid=wb1_7">([^<]+)<\/a>/.exec(text) ?? []
    expect(decodeURIComponent(sent)).toBe(word)
    expect(word).toMatch(commands.confirm)
  })

  test.each(cases)('mentions only existing commands in the reply $name in $lang', ({ lang, name }) => {
    const pattern = lang === 'en' ? /(?<=[Rr]eply “)[^”]+/g : /解[绑綁](?=[”」])/g
    const named = toText(reply(name, lang), {}).match(pattern) ?? []
    for (const word of named) expect(word).toMatch(commands.unbind)
    const offersUndo = ['bound', 'already_bound', 'conflict', 'confirm_reply', 'confirm_code'].includes(name)
    expect(named.length > 0).toBe(offersUndo)
  })

  test('uses the text of the operator, in every language, and replaces its placeholders', () => {
    const texts = { bound: '{label} {digits} {confirm} {other} {label}' }
    expect(toText(reply('bound', 'en', { label: 'L' }), texts)).toBe(
      '“L” 0042 <a href="weixin://bizmsgmenu?msgmenucontent=Confirm&msgmenuid=wb1_7">Confirm</a> {other} “L”',
    )
    expect(toText(reply('bound', 'zh-CN', { label: 'L' }), { bound: '{label}' })).toBe('“L”')
    expect(toText(reply('unbound', 'en', { label: 'L' }), texts)).toContain('no longer bound to “L”')
  })

  test('removes {digits} if there are no digits', () => {
    expect(toText(reply('bound', 'en', { digits: undefined }), { bound: 'a{digits}b' })).toBe('ab')
  })

  test('does not replace a placeholder that comes from a label', () => {
    expect(toText(reply('bound', 'en', { label: '{digits}' }), { bound: '{label}' })).toBe('“{digits}”')
  })
})

describe('commands', () => {
  test.each(['解绑', '解綁', 'unbind', 'Unlink', 'UNDO'])('match "%s" as an unbinding', (word) => {
    expect(word).toMatch(commands.unbind)
  })

  test.each(['确认绑定', '確認', 'confirm', 'Yes'])('match "%s" as a confirmation', (word) => {
    expect(word).toMatch(commands.confirm)
  })

  test.each(['绑定 K7MP3XWA', '綁定K7MP3XWA', 'bind K7MP3XWA', 'Bind: k7mp3xwa'])(
    'match "%s" as a binding with a code',
    (text) => {
      expect(commands.bind.exec(text)?.[1]?.toUpperCase()).toBe('K7MP3XWA')
    },
  )

  test.each(['unbinding', 'undo it', 'binder', 'bind K7MP'])('do not match "%s"', (text) => {
    expect(Object.values(commands).filter((command) => command.test(text))).toEqual([])
  })
})

describe('toLanguage', () => {
  test.each<[string | undefined, Language | 'fallback']>([
    ['zh-CN,zh;q=0.9,en;q=0.8', 'zh-CN'],
    ['zh', 'zh-CN'],
    ['zh-SG', 'zh-CN'],
    ['zh-Hans-CN', 'zh-CN'],
    ['zh-TW', 'zh-TW'],
    ['zh-HK', 'zh-TW'],
    ['zh-MO', 'zh-TW'],
    ['ZH-hant', 'zh-TW'],
    ['EN-gb', 'en'],
    ['fr-FR, en;q=0.5, zh;q=0.4', 'en'],
    ['fr, zh-tw', 'zh-TW'],
    ['de,fr', 'fallback'],
    ['x-zh', 'fallback'],
    ['x-zh-tw', 'fallback'],
    ['x-en', 'fallback'],
    ['', 'fallback'],
    [undefined, 'fallback'],
  ])('takes the first supported language of %j: %s', (header, expected) => {
    for (const fallback of languages) {
      expect(toLanguage(header, fallback)).toBe(expected === 'fallback' ? fallback : expected)
    }
  })
})
