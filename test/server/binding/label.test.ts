import { describe, expect, test } from 'vitest'
import { toPlainLabel } from '../../../server/binding/label.ts'
import { toText } from '../../../server/binding/replies.ts'
import type { Language } from '../../../server/store/store.ts'
import { parseXml, toXml } from '../../../server/wechat/xml.ts'

describe('toPlainLabel', () => {
  test.each([
    ['ab***@example.com'],
    ['（ab***@example.com）'],
    ['john.smith+x@mail.example.co.uk'],
    ['138****8000'],
    ['张三（演示商店）'],
    ['Zoë Müller-Łuk, 3.5 % & Co. #7'],
    ['ครู นิ่ม'],
    ['café'],
    ['😀 Shop'],
    ['10:30'],
  ])('leaves "%s" as it is', (label) => {
    expect(toPlainLabel(label)).toBe(label)
  })

  test.each([
    [
      'a link',
      '<a href="weixin://bizmsgmenu?msgmenucontent=yes">不是我，撤销</a>',
      'a href=’weixin bizmsgmenu?msgmenucontent=yes’ 不是我，撤销 /a',
    ],
    ['tags', '<b>A</b>', 'b A /b'],
    ['a character reference', '&lt;a&#62;', '＆lt;a＆#62;'],
    ['a URL', 'https://evil.example/x', 'https evil·example/x'],
    ['a URL of another scheme', '#小程序://商城/abc', '#小程序 商城/abc'],
    ['a URL with hidden characters', 'ht\u200btp:\u2060//evil\u00ad.example', 'http evil·example'],
    ['a bare host', 'see www.evil.com', 'see www·evil·com'],
    ['a host within Chinese', '请打开evil.cn领奖', '请打开evil·cn领奖'],
    ['a host with full-width dots', 'evil．com', 'evil·com'],
    ['an international host', '例子.中国', '例子·中国'],
    ['an IP address', '192.0.2.1/x', '192·0·2·1/x'],
    ['an e-mail address with a path', 'x@evil.com/path', 'x@evil·com/path'],
    ['an e-mail address with a dot and a path', 'a@evil.com./x', 'a@evil·com./x'],
    ['an e-mail address with a hyphen and a path', 'a@evil.com-/x', 'a@evil·com-/x'],
    ['an e-mail address with a backslash', 'a@evil.com\\x', 'a@evil·com\\x'],
    ['an e-mail address with an escape', 'a@evil.com%2f', 'a@evil·com%2f'],
    ['a host with a combining mark', 'evil.c\u0301om/x', 'evil·c\u0301om/x'],
    ['an e-mail address with a port', 'x@evil.com:8080', 'x@evil·com:8080'],
    ['a host before a masked address', 'evil.com*@b.com', 'evil·com*@b.com'],
    ['an override of the direction', 'ab\u202Ecd\u2066ef\u200f', 'abcdef'],
    ['line and paragraph separators', 'a\u2028b\u2029c\nd\re\u0085f', 'a b c d e f'],
    ['control characters', 'a\u0000b\u001bc\u007fd', 'a b c d'],
    ['zero-width characters', 'a\u200b\u200c\u200d\u2060\ufeffb', 'ab'],
    ['wide and repeated spaces', '\u3000a\u00a0\u2003  b\u2800', 'a b'],
    ['noncharacters', 'a\ufffeb\uffffc\u{1fffe}', 'abc'],
    ['lone surrogates', 'a\ud800b\udc00c', 'abc'],
    ['tag characters', 'a\u{e0061}\u{e007f}b', 'ab'],
    ['quotation marks', '”。请点击“确认"\'', '’。请点击’确认’’'],
    ['a leading combining mark', '\u0301\u0302a', 'a'],
    ['a stack of combining marks', `a${'\u0301'.repeat(20)}`, `a${'\u0301'.repeat(3)}`],
  ])('makes plain text of %s', (_, label, plain) => {
    expect(toPlainLabel(label)).toBe(plain)
  })

  test.each([
    ['spaces', ' \u3000\u00a0'],
    ['zero-width characters', '\u200b\u200d\ufeff'],
    ['bidirectional controls', '\u202e\u2069'],
    ['Hangul fillers', '\u3164\u115f\uffa0'],
    ['a braille blank', '\u2800'],
    ['variation selectors', '\ufe0f\u{e0100}'],
    ['angle brackets', '<><>'],
    ['noncharacters', '\ufffe\uffff'],
    ['combining marks', '\u0301\u0302'],
    ['nothing', ''],
  ])('returns null for %s', (_, label) => {
    expect(toPlainLabel(label)).toBeNull()
  })
})

describe('a reply', () => {
  const bound = (label: string, lang: Language = 'en', text?: string) =>
    toText({ name: 'bound', lang, label }, text === undefined ? {} : { bound: text })

  test.each<[Language, string]>([
    ['zh-CN', '您的账号'],
    ['zh-TW', '您的帳號'],
    ['en', 'your account'],
  ])('in %s says "%s" for a label without a visible character', (lang, words) => {
    expect(bound('\u200b\u202e', lang)).toContain(words)
  })

  test.each<[Language, string]>([
    ['zh-CN', '“A B”'],
    ['zh-TW', '「A B」'],
    ['en', '“A B”'],
  ])('in %s quotes the label', (lang, quoted) => {
    expect(bound('A\u2028B', lang)).toContain(quoted)
  })

  test('of the operator contains the label as plain text too', () => {
    expect(bound('<a href="http://evil.com">', 'en', '<a href="https://shop.example/?of={label}">{label}</a>')).toBe(
      '<a href="https://shop.example/?of=“a href=’http evil·com’”">“a href=’http evil·com’”</a>',
    )
  })

  test('is XML, whatever the label contains', () => {
    const everything = Array.from({ length: 0x3000 }, (_, i) => String.fromCharCode(i)).join('')
    const Content = bound(`${everything}\ud800\ufffe\uffff]]>`)
    expect(parseXml(toXml({ Content }))).toEqual({ Content })
    // biome-ignore lint/suspicious/noControlCharactersInRegex: the characters that XML 1.0 does not allow
    expect(toXml({ Content: 'a\ufffeb\uffffc\ud800d\u0000' })).not.toMatch(/[\u0000-\u0008\ufffe\uffff]|\p{Cs}/u)
  })
})
