/** Warns the page's developer in the browser's console: once for each text, with a link to the documentation. */

/** The build copies docs/element.md here. */
const DOCS = 'https://unpkg.com/wechat-bind/dist/cdn/element.md'

const warned = new Set<string>()

export function warnOnce(text: string): void {
  if (warned.has(text)) return
  warned.add(text)
  console.warn(`<wechat-bind> ${text}. See ${DOCS}#problems`)
}
