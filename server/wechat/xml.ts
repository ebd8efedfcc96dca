/** WeChat's XML: one flat `<xml>` element with text or CDATA children. */
import { XMLParser, XMLValidator } from 'fast-xml-parser'

// Made once: 9.5 us for an envelope, 30 us when made at each call. Entities stay unread, so none can expand.
const parser = new XMLParser({ processEntities: false, ignoreAttributes: true, parseTagValue: false })

// Ten times what WeChat's longest message has: a text that nobody signed yet must not cost more to read than one that is.
const MOST_TAGS = 1_000

/**
 * Well formed, and nothing but elements: the parser alone lets a broken tag pass. What people write stands in CDATA and may
 * look like markup, so only what is left around it is judged: no DOCTYPE, comment or instruction.
 */
function hasShape(text: string): boolean {
  const skeleton = withoutCdata(text)
  if (!skeleton.startsWith('<xml>') || /<[!?]/.test(skeleton) || skeleton.split('<').length > MOST_TAGS) return false
  return XMLValidator.validate(skeleton) === true
}

/** Split and not matched: a regular expression looks for the end of each section that has none to the end of the text. */
function withoutCdata(text: string): string {
  const [first = '', ...sections] = text.split('<![CDATA[')
  return first + sections.map((section) => section.split(']]>').slice(1).join(']]>')).join('')
}

const OPENING = /\s*<([A-Za-z]\w*)>(<!\[CDATA\[)?/y
const CLOSING = /\s*<\/xml>$/y

/**
 * What WeChat sends all day: flat, each child once, one CDATA section or plain characters in it. Read in one pass, without
 * the parser's tree; undefined for anything else, which may be well formed all the same.
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

/** The text children of `<xml>` by name, or undefined when this is not WeChat's XML. Nested and repeated elements are left out. */
export function parseXml(text: string): Record<string, string> | undefined {
  const trimmed = text.trim().replace(/^<\?xml [^?]*\?>\s*/, '')
  return readFlat(trimmed) ?? readAny(trimmed)
}

function readAny(trimmed: string): Record<string, string> | undefined {
  if (!hasShape(trimmed)) return undefined
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

/** `<xml>` with strings as CDATA and numbers bare. */
export function toXml(fields: Record<string, string | number>): string {
  const children = Object.entries(fields).map(([name, value]) => `<${name}>${toText(value)}</${name}>`)
  return `<xml>${children.join('')}</xml>`
}

const toText = (value: string | number) => (typeof value === 'number' ? String(value) : `<![CDATA[${toCdata(value)}]]>`)

/** Control characters break WeChat's parser, and `]]>` would end the section early. */
function toCdata(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is taken out
  return text.replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f]/g, '').replaceAll(']]>', ']]]]><![CDATA[>')
}
