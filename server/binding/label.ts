/** Turns the label of an account into one line of plain text for WeChat's chat. */

// Characters that are invisible in the chat or reorder the text: format characters, zero-width characters, bidirectional controls
// and fillers. Three of the fillers are blank, although Unicode counts them as visible. Lone surrogates and noncharacters (U+FFFE,
// U+FFFF) are not allowed in XML, and WeChat would reject the whole reply.
const HIDDEN = /[\p{Cf}\p{Cs}\p{Default_Ignorable_Code_Point}\p{Noncharacter_Code_Point}\u{13441}\u{13442}\u{1D159}]/gu

// Separators, line breaks, control characters and U+2800 (an empty braille pattern). `<` and `>` are replaced because WeChat
// renders `<a>` and other tags, and `://` because WeChat turns a URL of any scheme into a link.
const GAP = /(?:[\s\p{Z}\p{Cc}\u2800<>]|:\/\/)+/gu

// WeChat may decode a character reference such as `&lt;`.
const REFERENCE = /&(?=#?\w+;)/g

// A label between quotation marks, or in an attribute of the operator's own text, must not close the quotation or the attribute.
const QUOTATION_MARK = /["'“”‘’「」『』＂＇]/g

// WeChat turns `example.com`, `www.example.com/x` and `192.0.2.1` into links. The label is often a masked e-mail address
// (`ab***@example.com`), so an address keeps its dots if it ends the label or if a space or a closing punctuation mark follows.
const EMAIL_OR_HOST_DOT =
  /((?:[\p{L}\p{N}_+-][\p{L}\p{N}._+-]*|[\p{L}\p{N}_+*-]+)@[\p{L}\p{N}.-]*[\p{L}\p{N}])(?=$|[\s)）\]】,，、;；。!！’])|(?<=\S)[.．｡](?=\p{L}[\p{L}\p{N}\p{M}-])|(?<=\d)\.(?=\d+\.\d)|(?<=\d\.\d+)\.(?=\d)/gu

// A combining mark at the start would be drawn on the text before the label. Many marks on one character would cover the line
// above.
const LEADING_MARKS = /^[\p{M}\s]+/u
const STACKED_MARKS = /(\p{M}{3})\p{M}+/gu

const VISIBLE = /[\p{L}\p{N}\p{P}\p{S}]/u

/** Returns null if no visible character is left. */
export function toPlainLabel(label: string): string | null {
  const plain = label
    .replace(HIDDEN, '')
    .replace(GAP, ' ')
    .replace(REFERENCE, '＆')
    .replace(QUOTATION_MARK, '’')
    .replace(EMAIL_OR_HOST_DOT, (_, email?: string) => email ?? '·')
    .replace(LEADING_MARKS, '')
    .replace(STACKED_MARKS, '$1')
    .trim()
  return VISIBLE.test(plain) ? plain : null
}
