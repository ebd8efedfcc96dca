/**
 * Checks that `custom-elements.json` lists exactly the public interface of the element, and that the editor data and
 * the documents match this file.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { LitElement } from 'lit'
import { describe, expect, test } from 'vitest'
import { openapi } from '../../../server/api/openapi.ts'
import { codeRows } from '../../support/element-tables.ts'
import { pages } from '../../support/widget-readme.ts'

const root = join(import.meta.dirname, '../../..')
const read = (path: string) => readFileSync(join(root, path), 'utf8')

type Entry = { name: string; description?: string; default?: string; fieldName?: string }
type Member = Entry & { kind: string; privacy?: string; static?: boolean; readonly?: boolean }
type Declaration = Record<'attributes' | 'events' | 'slots' | 'cssParts' | 'cssProperties' | 'cssStates', Entry[]> & {
  tagName?: string
  members: Member[]
}

const manifest: { modules: { declarations: Declaration[] }[] } = JSON.parse(read('dist/custom-elements.json'))
const declaration = manifest.modules.flatMap(({ declarations }) => declarations).find(({ tagName }) => tagName)!
const members = declaration.members.filter(
  ({ privacy = 'public', static: isStatic }) => privacy === 'public' && !isStatic,
)

// The path is computed, so that TypeScript does not try to resolve the built file.
const { WechatBind }: { WechatBind: typeof LitElement } = await import(join(root, 'dist/widget/index.js'))

const sources = readdirSync(join(root, 'widget'))
  .filter((name) => name.endsWith('.ts'))
  .map((name) => read(`widget/${name}`))
  .map((text) => text.replace(/\/\*\*[\s\S]*?\*\//g, ''))
  .join('\n')

const namesIn = (pattern: RegExp) =>
  [...new Set([...sources.matchAll(pattern)].flatMap(([, names = '']) => names.split(' ')))].sort()
const namesOf = (entries: Entry[]) => entries.map(({ name }) => name).sort()
const ofKind = (kind: string) => members.filter((member) => member.kind === kind)

/** Methods marked @internal. They are public only because the element's other files call them. */
const internal = [...read('widget/wechat-bind.ts').matchAll(/@internal\s*\*\/\s*(?:get |async )*(\w+)/g)].map(
  ([, name]) => name,
)

describe('custom-elements.json', () => {
  test('lists every attribute that the element observes', () => {
    expect(namesOf(declaration.attributes)).toEqual([...WechatBind.observedAttributes].sort())
  })

  test('lists every property that a page can set, and no other property', () => {
    const properties = [...WechatBind.elementProperties.keys()].map(String).filter((name) => !internal.includes(name))
    // `lang` is a property of every HTML element.
    if (WechatBind.observedAttributes.includes('lang')) properties.push('lang')
    const settable = ofKind('field').filter(({ readonly }) => !readonly)
    expect(namesOf(settable)).toEqual([...new Set(properties)].sort())
    expect(namesOf(ofKind('field').filter(({ readonly }) => readonly))).toEqual(['boundAt', 'state'])
  })

  test('lists every method that is not internal', () => {
    const methods = Object.entries(Object.getOwnPropertyDescriptors(WechatBind.prototype))
      .filter(
        ([name, { value }]) => typeof value === 'function' && name !== 'constructor' && !(name in LitElement.prototype),
      )
      .map(([name]) => name)
      .filter((name) => !internal.includes(name))
    expect(namesOf(ofKind('method'))).toEqual(methods.sort())
    expect(methods).toEqual(['close', 'confirm', 'open', 'refresh', 'start', 'stop', 'unbind'])
  })

  test('lists every event that the element dispatches', () => {
    expect(namesOf(declaration.events)).toEqual(namesIn(/\bemit\('(\w+)'/g))
  })

  test('lists every slot and every part of the templates', () => {
    expect(namesOf(declaration.slots)).toEqual(namesIn(/<slot name="([\w-]+)"/g))
    expect(namesOf(declaration.cssParts)).toEqual(namesIn(/\bpart="([^"]+)"/g))
  })

  test('lists every custom property that the style sheet uses', () => {
    expect(namesOf(declaration.cssProperties)).toEqual(namesIn(/(--wechat-bind-[a-z-]+)/g))
  })

  test('lists every state', () => {
    expect(namesOf(declaration.cssStates)).toEqual(namesIn(/\{\s*name: '(\w+)'/g))
  })

  test('has a description for every entry', () => {
    const { attributes, events, slots, cssParts, cssProperties, cssStates } = declaration
    const all = [attributes, events, slots, cssParts, cssProperties, cssStates, members].flat()
    expect(all.length).toBeGreaterThan(60)
    expect(all.filter(({ description }) => !description).map(({ name }) => name)).toEqual([])
  })

  test('has a default for every custom property', () => {
    expect(namesOf(declaration.cssProperties.filter((property) => !property.default))).toEqual([])
  })
})

describe("VS Code's custom data", () => {
  test('lists the tag with the values of its attributes', () => {
    const [tag] = JSON.parse(read('dist/vscode.html-custom-data.json')).tags
    expect(tag.name).toBe('wechat-bind')
    expect(namesOf(tag.attributes)).toEqual(namesOf(declaration.attributes))
    const theme = tag.attributes.find(({ name }: Entry) => name === 'theme')
    expect(namesOf(theme.values)).toEqual(['auto', 'dark', 'light'])
  })

  test('lists the same custom properties and parts', () => {
    const { properties, pseudoElements } = JSON.parse(read('dist/vscode.css-custom-data.json'))
    expect(namesOf(properties)).toEqual(namesOf(declaration.cssProperties))
    expect(namesOf(pseudoElements)).toEqual(namesOf(declaration.cssParts).map((name) => `::part(${name})`))
  })
})

describe('the types for frameworks', () => {
  test('contain every property that a page can set', () => {
    const picked = [...read('widget/frameworks/props.d.ts').matchAll(/^\s*\| '(\w+)'/gm)].map(([, name]) => name)
    expect(picked.sort()).toEqual(namesOf(ofKind('field').filter(({ readonly }) => !readonly)))
  })
})

describe('docs/element.md and docs/element.zh-CN.md', () => {
  test.each(pages)(
    '$path contains the tables of the manifest and of the source ("node test/support/widget-readme.ts")',
    ({ current, wanted }) => {
      expect(current).toBe(wanted)
    },
  )

  test('explain every error code of the element and of the browser API', () => {
    const own = [...sources.matchAll(/new BindError\(\s*'([A-Z_]+)'/g)].map(([, code = '']) => code)
    const paths = Object.entries((openapi as { paths: object }).paths).filter(([path]) => path.startsWith('/widget/'))
    const lists = [...JSON.stringify(paths).matchAll(/"code":\{"enum":(\[[^\]]*\])/g)]
    const ofServer = lists.flatMap(([, list = '[]']) => JSON.parse(list) as string[])
    expect(own).toContain('NO_TOKEN')
    expect(ofServer).toContain('TOKEN_EXPIRED')
    const raised = new Set([...own, ...ofServer, 'NETWORK', 'TIMEOUT'])
    raised.delete('OTHER_USER')
    expect([...raised].filter((code) => !(code in codeRows))).toEqual([])
  })

  test('name the same entries in Chinese', () => {
    const text = read('docs/element.zh-CN.md')
    const { attributes, events, slots, cssParts, cssProperties, cssStates } = declaration
    const all = namesOf([attributes, events, slots, cssParts, cssProperties, cssStates].flat())
    const short = (name: string) => name.replace('--wechat-bind-', '-')
    expect(all.filter((name) => !text.includes(`\`${name}\``) && !text.includes(`\`${short(name)}\``))).toEqual([])
    expect(ofKind('method').filter(({ name }) => !text.includes(`\`${name}(`))).toEqual([])
  })
})
