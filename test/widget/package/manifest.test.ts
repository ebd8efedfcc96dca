/** `custom-elements.json` says what the element has, all of it and nothing else; editors are told the same. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { LitElement } from 'lit'
import { describe, expect, test } from 'vitest'
import { readme } from '../../support/widget-readme.ts'

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

// A path that is computed: the compiler has no types for what is built later.
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

/** What is public only for the element's other files. */
const inner = [...read('widget/wechat-bind.ts').matchAll(/@internal\s*\*\/\s*(?:get |async )*(\w+)/g)].map(
  ([, name]) => name,
)

describe('custom-elements.json', () => {
  test('has every attribute that the element observes', () => {
    expect(namesOf(declaration.attributes)).toEqual([...WechatBind.observedAttributes].sort())
  })

  test('has every property of the page, and no other that can be set', () => {
    const properties = [...WechatBind.elementProperties.keys()].map(String).filter((name) => !inner.includes(name))
    // The platform's own, which the element follows.
    if (WechatBind.observedAttributes.includes('lang')) properties.push('lang')
    const settable = ofKind('field').filter(({ readonly }) => !readonly)
    expect(namesOf(settable)).toEqual([...new Set(properties)].sort())
    expect(namesOf(ofKind('field').filter(({ readonly }) => readonly))).toEqual(['boundAt', 'state'])
  })

  test('has every method that is not an inner one', () => {
    const methods = Object.entries(Object.getOwnPropertyDescriptors(WechatBind.prototype))
      .filter(
        ([name, { value }]) => typeof value === 'function' && name !== 'constructor' && !(name in LitElement.prototype),
      )
      .map(([name]) => name)
      .filter((name) => !inner.includes(name))
    expect(namesOf(ofKind('method'))).toEqual(methods.sort())
    expect(methods).toEqual(['confirm', 'refresh', 'start', 'stop', 'unbind'])
  })

  test('has every event that is told', () => {
    expect(namesOf(declaration.events)).toEqual(namesIn(/\bemit\('(\w+)'/g))
  })

  test('has every slot and every part that is drawn', () => {
    expect(namesOf(declaration.slots)).toEqual(namesIn(/<slot name="([\w-]+)"/g))
    expect(namesOf(declaration.cssParts)).toEqual(namesIn(/\bpart="([^"]+)"/g))
  })

  test('has every custom property that is read', () => {
    expect(namesOf(declaration.cssProperties)).toEqual(namesIn(/(--wechat-bind-[a-z-]+)/g))
  })

  test('has every state', () => {
    expect(namesOf(declaration.cssStates)).toEqual(namesIn(/\{\s*name: '(\w+)'/g))
  })

  test('describes all of it', () => {
    const { attributes, events, slots, cssParts, cssProperties, cssStates } = declaration
    const all = [attributes, events, slots, cssParts, cssProperties, cssStates, members].flat()
    expect(all.length).toBeGreaterThan(60)
    expect(all.filter(({ description }) => !description).map(({ name }) => name)).toEqual([])
  })

  test('names the default of every custom property', () => {
    expect(namesOf(declaration.cssProperties.filter((property) => !property.default))).toEqual([])
  })
})

describe('what editors are told', () => {
  test('is the same tag, with the values that an attribute may have', () => {
    const [tag] = JSON.parse(read('dist/vscode.html-custom-data.json')).tags
    expect(tag.name).toBe('wechat-bind')
    expect(namesOf(tag.attributes)).toEqual(namesOf(declaration.attributes))
    const theme = tag.attributes.find(({ name }: Entry) => name === 'theme')
    expect(namesOf(theme.values)).toEqual(['auto', 'dark', 'light'])
  })

  test('is the same custom properties and parts', () => {
    const { properties, pseudoElements } = JSON.parse(read('dist/vscode.css-custom-data.json'))
    expect(namesOf(properties)).toEqual(namesOf(declaration.cssProperties))
    expect(namesOf(pseudoElements)).toEqual(namesOf(declaration.cssParts).map((name) => `::part(${name})`))
  })
})

describe('the types for frameworks', () => {
  test('have every property that a page may set', () => {
    const picked = [...read('widget/frameworks/props.d.ts').matchAll(/^\s*\| '(\w+)'/gm)].map(([, name]) => name)
    expect(picked.sort()).toEqual(namesOf(ofKind('field').filter(({ readonly }) => !readonly)))
  })
})

describe('the pages on the element', () => {
  test('have the tables of the manifest: "node test/support/widget-readme.ts" writes them', () => {
    expect(readme.current).toBe(readme.wanted)
  })

  test('name the same things in Chinese', () => {
    const text = read('docs/element.zh-CN.md')
    const { attributes, events, slots, cssParts, cssProperties, cssStates } = declaration
    const all = namesOf([attributes, events, slots, cssParts, cssProperties, cssStates].flat())
    const short = (name: string) => name.replace('--wechat-bind-', '-')
    expect(all.filter((name) => !text.includes(`\`${name}\``) && !text.includes(`\`${short(name)}\``))).toEqual([])
    expect(ofKind('method').filter(({ name }) => !text.includes(`\`${name}(`))).toEqual([])
  })
})
