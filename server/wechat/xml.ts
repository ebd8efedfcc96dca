/** WeChat's XML: one `<xml>` element whose children hold text or CDATA. */
import { XMLParser, XMLValidator } from 'fast-xml-parser'

// Created once: parsing an encrypted callback takes 9.5 us, and 30 us with a parser per call. No entity is expanded.
const parser = new XMLParser({ processEntities: false, ignoreAttributes: true, parseTagValue: false })

// Ten times the tags of WeChat's longest message. The text is parsed before its signature is checked, so its cost needs a limit.
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

const OPENING = /\s*<([A-Za-z]\w*)>(<!\[CDATA\[)?/y
const CLOSING = /\s*<\/xml>$/y

/**
 * Reads the form that WeChat's messages have: flat, each child once, holding one CDATA section or plain characters. Takes one
 * pass and builds no tree. Undefined for any other form, even if it is well formed.
 */
function readFlat(text: string): Record<string, string> | undefined {
  if (!text.startsWith('<xml>')) return undefined
  const fields: Record<string, string> = {}
  for (let at = '<xml>'.length; ; ) {
    OPENING.lastIndex = at
    const opening = OPENING.exec(text)
    if (!opening) {
      CLOSING.lastIndex = at
      return CLOSING.test(text) ? fields : undefined
    }
    const [, name = '', cdata] = opening
    const start = OPENING.lastIndex
    const end = text.indexOf(cdata ? ']]>' : '<', start)
    const value = text.slice(start, end)
    const closing = `${cdata ? ']]>' : ''}</${name}>`
    if (end < 0 || !text.startsWith(closing, end) || Object.hasOwn(fields, name)) return undefined
    if (!cdata && !/^[\w.:-]*$/.test(value)) return undefined
    fields[name] = value
    at = end + closing.length
  }
}

/** The text children of `<xml>` by name; nested and repeated elements are left out. Undefined when this is not WeChat's XML. */
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

/** `<xml>` with strings as CDATA and numbers as plain text. */
export function toXml(fields: Record<string, string | number>): string {
  const children = Object.entries(fields).map(([name, value]) => `<${name}>${toText(value)}</${name}>`)
  return `<xml>${children.join('')}</xml>`
}

const toText = (value: string | number) => (typeof value === 'number' ? String(value) : `<![CDATA[${toCdata(value)}]]>`)

/** Drops control characters, which WeChat's parser rejects, and splits `]]>`, which would end the section. */
function toCdata(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these characters are removed
  return text.replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f]/g, '').replaceAll(']]>', ']]]]><![CDATA[>')
}
