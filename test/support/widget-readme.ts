/** Writes the tables of docs/element.md from the manifest: run `npm run build`, then `node test/support/widget-readme.ts`. */
import { readFileSync, writeFileSync } from 'node:fs'

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
  if (!found) throw new Error('the manifest holds no <wechat-bind>: run "npm run build" first')
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

const path = new URL('docs/element.md', root)
const current = readFileSync(path, 'utf8')
const [before = ''] = current.split('<!-- from the manifest -->')
const tables = sections.map(([title, text]) => `## ${title}\n\n${text}`).join('\n\n')

/** The present text of the page, and its text with the tables of the manifest. */
export const readme = { current, wanted: `${before}<!-- from the manifest -->\n\n${tables}\n` }

if (import.meta.main) writeFileSync(path, readme.wanted)
