/**
 * The tag's settings in the playground. The URL contains the settings, so that a link reproduces them. The page also
 * displays the settings as code.
 */

/** The settings by group and name. If an entry is missing, the element uses its default. */
export type Tag = {
  attributes: Record<string, string>
  slots: Record<string, string>
  styles: Record<string, string>
  /** The parts that the page outlines. */
  parts: Record<string, string>
  /** Entries of the property `messages`. */
  words: Record<string, string>
  /** The names of the properties without an attribute that are set, for example `getToken`. */
  properties: Record<string, string>
}

export type Group = keyof Tag

const prefixes: Record<Group, string> = {
  attributes: 'a.',
  slots: 's.',
  styles: 'c.',
  parts: 'p.',
  words: 'w.',
  properties: 'j.',
}
const groups = Object.keys(prefixes) as Group[]

export const OUTLINE = 'outline: 2px dashed #d6336c; outline-offset: 2px'

export function parseTag(search: string): Tag {
  const tag: Tag = { attributes: {}, slots: {}, styles: {}, parts: {}, words: {}, properties: {} }
  for (const [key, value] of new URLSearchParams(search)) {
    const group = groups.find((each) => key.startsWith(prefixes[each]))
    if (group) tag[group][key.slice(2)] = value
  }
  return tag
}

/** Writes the tag's settings into a query string. Other parameters of the query stay. */
export function toTagSearch(tag: Tag, search: string): string {
  const query = new URLSearchParams([...new URLSearchParams(search)].filter(([key]) => !isTagParameter(key)))
  for (const group of groups) {
    for (const [name, value] of Object.entries(tag[group])) query.set(prefixes[group] + name, value)
  }
  return `?${query}`
}

const isTagParameter = (key: string) => Object.values(prefixes).some((prefix) => key.startsWith(prefix))

/** Sets one entry of a group, or removes it. */
export function withEntry(tag: Tag, group: Group, name: string, value: string | undefined): Tag {
  const { [name]: _, ...others } = tag[group]
  return { ...tag, [group]: value === undefined ? others : { ...others, [name]: value } }
}

const escapeHtml = (text: string) => text.replaceAll('&', '&amp;').replaceAll('"', '&quot;').replaceAll('<', '&lt;')

export function toHtml({ attributes, slots, properties }: Tag): string {
  const token = 'getToken' in properties ? {} : { 'token-url': '/my/wechat-token' }
  const all = { server: 'https://bind.example', ...token, ...attributes }
  const written = Object.entries(all).map(([name, value]) => (value === '' ? name : `${name}="${escapeHtml(value)}"`))
  const children = Object.entries(slots).map(([name, text]) => `\n  <span slot="${name}">${escapeHtml(text)}</span>`)
  const end = children.length > 0 ? '\n' : ''
  return `<link rel="preconnect" href="https://bind.example" crossorigin>
<link rel="modulepreload" href="https://bind.example/wechat-bind.js">
<script type="module" src="https://bind.example/wechat-bind.js"></script>
<wechat-bind ${written.join(' ')}>${children.join('')}${end}</wechat-bind>`
}

/** Returns the style sheet for the tag. It is empty if the tag needs none. */
export function toCss({ styles, parts }: Tag): string {
  const own = Object.entries(styles).map(([name, value]) => `  ${name}: ${value};`)
  const rules = Object.keys(parts).map((name) => `wechat-bind::part(${name}) { ${OUTLINE} }`)
  return [own.length > 0 ? `wechat-bind {\n${own.join('\n')}\n}` : '', ...rules].filter(Boolean).join('\n')
}

/** Returns the script that sets the properties without an attribute. It is empty if none is set. */
export function toScript({ words, properties }: Tag): string {
  const lines = [
    'getToken' in properties && `card.getToken = async () => (await (await fetch('/my/wechat-token')).json()).token`,
    Object.keys(words).length > 0 && `card.messages = ${JSON.stringify(words, null, 2)}`,
  ].filter(Boolean)
  return lines.length > 0 ? [`const card = document.querySelector('wechat-bind')`, ...lines].join('\n') : ''
}
