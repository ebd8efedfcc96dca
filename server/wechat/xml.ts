/** Reads and writes WeChat's XML, which is one `<xml>` element whose children contain text or CDATA. */
import { XMLParser, XMLValidator } from 'fast-xml-parser'

// The parser is created once. Parsing an encrypted callback then takes 9.5 us instead of 30 us. The parser expands no entity.
const parser = new XMLParser({ processEntities: false, ignoreAttributes: true, parseTagValue: false })

// Ten times the number of tags in WeChat's longest message. The text is parsed before its signature is checked, so the cost needs
// a limit.
const MAX_TAGS = 1_000

/**
 * Whether the text is well formed and consists of elements only: no DOCTYPE, comment or processing instruction. The parser
 * itself accepts broken tags. CDATA sections are left out, because a chat message in them may look like markup.
 */
function isWellFormed(text: string): boolean {
  const skeleton = withoutCdata(text)
  if (!skeleton.startsWith('<xml>') || /<[!?]/.test(skeleton) || skeleton.split('<').length > MAX_TAGS) return false
  return XMLValidator.validate(skeleton) === true
}

/** Splits the text, which takes linear time. A regular expression would scan to the end of the text for each unclosed section. */
function withoutCdata(text: string): string {
  const [first = '', ...sections] = text.split('<![CDATA[')
  return first + sections.map((section) => section.split(']]>').slice(1).join(']]>')).join('')
}

// A child with one CDATA section, which ends at the first `]]>`, or with plain characters. Matching takes linear time.
const CHILD = /\s*<([A-Za-z]\w*)>(?:<!\[CDATA\[([^\]]*(?:\](?!\]>)[^\]]*)*)\]\]>|([\w.:-]*))<\/\1>/y
const CLOSING = /\s*<\/xml>$/y

/**
 * Reads the form that WeChat's messages have: flat, each child once, with one CDATA section or plain characters in each. It takes
 * one pass and builds no tree. Returns undefined for any other form, even if the text is well formed.
 */
function readFlat(text: string): Record<string, string> | undefined {
  if (!text.startsWith('<xml>')) return undefined
  const fields: Record<string, string> = {}
  for (let at = '<xml>'.length; ; at = CHILD.lastIndex) {
    CHILD.lastIndex = at
    const child = CHILD.exec(text)
    if (!child) {
      CLOSING.lastIndex = at
      return CLOSING.test(text) ? fields : undefined
    }
    const [, name = '', section, plain = ''] = child
    if (Object.hasOwn(fields, name)) return undefined
    fields[name] = section ?? plain
  }
}

/** The text children of `<xml>` by name; nested and repeated elements are left out. Undefined when the text is not WeChat's XML. */
export function parseXml(text: string): Record<string, string> | undefined {
  const trimmed = text.trim().replace(/^<\?xml [^?]*\?>\s*/, '')
  return readFlat(trimmed) ?? readWithParser(trimmed)
}

function readWithParser(trimmed: string): Record<string, string> | undefined {
  if (!isWellFormed(trimmed)) return undefined
  try {
    return textChildren(parser.parse(trimmed).xml)
  } catch {
    return undefined
  }
}

function textChildren(element: unknown): Record<string, string> | undefined {
  if (typeof element !== 'object' || element === null || Array.isArray(element)) return undefined
  return Object.fromEntries(Object.entries(element).filter(([, value]) => typeof value === 'string'))
}

/** Writes an `<xml>` element with strings as CDATA and numbers as plain text. */
export function toXml(fields: Record<string, string | number>): string {
  let children = ''
  for (const [name, value] of Object.entries(fields)) children += `<${name}>${toText(value)}</${name}>`
  return `<xml>${children}</xml>`
}

const toText = (value: string | number) => (typeof value === 'number' ? String(value) : `<![CDATA[${toCdata(value)}]]>`)

/** A character that XML does not allow: https://www.w3.org/TR/xml/#charsets */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters
export const NOT_XML = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff\p{Cs}]/u
const EACH_NOT_XML = new RegExp(NOT_XML, 'gu')

/** Drops characters that XML does not allow, because WeChat would reject the reply. Splits `]]>`, which would end the section. */
const toCdata = (text: string) => text.replace(EACH_NOT_XML, '').replaceAll(']]>', ']]]]><![CDATA[>')
