/** Writes the tables of docs/element.md and docs/element.zh-CN.md from the manifest and the source: run `npm run build`, then `node test/support/widget-readme.ts`. */
import { readFileSync, writeFileSync } from 'node:fs'
import { elementTables } from './element-tables.ts'

type Entry = {
  name: string
  description?: string
  default?: string
  type?: { text: string }
  kind?: string
  privacy?: string
}
type Element = Record<
  'attributes' | 'events' | 'slots' | 'cssParts' | 'cssProperties' | 'cssStates' | 'members',
  Entry[]
> & { tagName?: string }

const root = new URL('../../', import.meta.url)

function findElement(): Element {
  const manifest = JSON.parse(readFileSync(new URL('dist/custom-elements.json', root), 'utf8')) as {
    modules: { declarations: Element[] }[]
  }
  const declarations = manifest.modules.flatMap(({ declarations }) => declarations)
  const found = declarations.find(({ tagName }) => tagName === 'wechat-bind')
  if (!found) throw new Error('the manifest does not contain <wechat-bind>: run "npm run build" first')
  return found
}

export const element = findElement()

export const code = (text: string) => `\`${text.replaceAll('|', '\\|')}\``

export function table(head: string[], rows: string[][]): string {
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n')
}

const named = (entries: Entry[]) => entries.map(({ name, description = '' }) => [code(name), description])

const methods = element.members.filter(({ kind, privacy }) => kind === 'method' && privacy !== 'private')
const documented = ['start', 'stop', 'refresh', 'confirm', 'unbind', 'open', 'close']

const sections: [title: string, text: string][] = [
  [
    'Attributes',
    table(
      ['attribute', 'type', 'default', 'meaning'],
      element.attributes.map(({ name, type, default: value = '', description = '' }) => [
        code(name),
        code(type?.text ?? 'string'),
        value === '' || value === "''" ? '' : code(value),
        description,
      ]),
    ),
  ],
  ['Methods', table(['method', 'meaning'], named(methods.filter(({ name }) => documented.includes(name))))],
  [
    'Events',
    table(
      ['event', 'type', 'meaning'],
      element.events.map(({ name, type, description = '' }) => [code(name), code(type?.text ?? 'Event'), description]),
    ),
  ],
  ['States', table(['`:state()`', 'meaning'], named(element.cssStates))],
  ['Slots', table(['slot', 'meaning'], named(element.slots))],
  ['Parts', table(['`::part()`', 'what'], named(element.cssParts))],
  [
    'Custom properties',
    table(
      ['property', 'default', 'what'],
      element.cssProperties.map(({ name, default: value, description = '' }) => [
        code(name),
        value === undefined ? '' : code(value),
        description,
      ]),
    ),
  ],
]

const MARKS = { en: '<!-- from the manifest -->', zh: '<!-- from the source -->' }

function pageWith(path: string, mark: string, tables: string) {
  const file = new URL(path, root)
  const current = readFileSync(file, 'utf8')
  const [before = ''] = current.split(mark)
  return { path, file, current, wanted: `${before}${mark}\n\n${tables}\n` }
}

const tables = sections.map(([title, text]) => `## ${title}\n\n${text}`).join('\n\n')

/** Returns the current text of each page, and its text with the tables from the manifest and from the source code. */
export const pages = [
  pageWith('docs/element.md', MARKS.en, `${tables}\n\n${elementTables('en')}`),
  pageWith('docs/element.zh-CN.md', MARKS.zh, elementTables('zh')),
]

if (import.meta.main) for (const { file, wanted } of pages) writeFileSync(file, wanted)
