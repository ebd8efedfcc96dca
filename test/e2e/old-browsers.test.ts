/** Browsers that are too old for the element: the page shows the content of the tag, and reports no error of the element. */
import { Hono } from 'hono'
import { afterEach, describe, expect, test } from 'vitest'
import { type Fixture, openFixture, readWidget, STRICT } from '../support/browser-fixture.ts'
import { inState, type Session, type Tab, textOf, until } from '../support/driver.ts'
import { useDriver } from './engine-driver.ts'

const driver = useDriver()
let session: Session
let fixture: Fixture

const TEXT = 'Please use a newer browser.'

const script = (text: string) =>
  new Hono().get('/first.js', (c) => c.body(text, 200, { 'Content-Type': 'text/javascript' }))

async function visit(head: string, more: Hono): Promise<Tab> {
  const body = `<wechat-bind token="token"><p>${TEXT}</p></wechat-bind>`
  fixture = await openFixture({ policy: STRICT, head, body, more })
  session = await driver.current.startSession()
  const tab = await session.openTab()
  await tab.goto(fixture.url)
  return tab
}

const isDefined = (tab: Tab) => tab.run(() => !!globalThis.customElements?.get('wechat-bind'))

describe('the content of the tag', () => {
  afterEach(async () => {
    await session.close()
    await fixture.close()
  })

  test('is shown by a browser that cannot parse the file', async () => {
    // Stands for syntax that the browser does not know.
    const tab = await visit('<script type="module" src="/first.js"></script>', script(`${readWidget()}\nclass { @@ }`))
    expect(await textOf(tab, { css: 'p', text: TEXT })).toBe(TEXT)
    expect(await isDefined(tab)).toBe(false)
  })

  test('is shown by a browser without custom elements, and the file causes no error', async () => {
    const head = '<script src="/first.js"></script><script type="module" src="/wechat-bind.js"></script>'
    const remove = "Object.defineProperty(window, 'customElements', { value: undefined })"
    const tab = await visit(head, script(`${remove}; addEventListener('load', () => { document.title = 'loaded' })`))
    await until('the file', async () => (await tab.run(() => document.title)) === 'loaded')
    expect(await textOf(tab, { css: 'p', text: TEXT })).toBe(TEXT)
    expect(session.errors).toEqual([])
  })

  test('is not shown by a browser that runs the element', async () => {
    const tab = await visit('<script type="module" src="/wechat-bind.js"></script>', new Hono())
    await inState(tab, 'ready')
    expect(await tab.run(() => document.querySelector('p')?.getBoundingClientRect().height)).toBe(0)
  })
})

describe('the self-contained file', () => {
  test('has static blocks, which the browsers before those in docs/element.md cannot parse', () => {
    expect(readWidget()).toMatch(/\bstatic\s*\{/)
  })

  // A function that is missing at run time would leave an empty card, which is worse than the content of the tag.
  test('calls no function that is newer than Chrome 94, Firefox 98 and Safari 16.4', () => {
    const newer = [
      'throwIfAborted', // Chrome 100
      'structuredClone', // Chrome 98
      'findLast', // Chrome 97
      'AbortSignal\\.(?:any|timeout)', // Chrome 116, 103
      'withResolvers', // Chrome 119
      'toSorted|toReversed|toSpliced', // Chrome 110
      'groupBy', // Chrome 117
      'isWellFormed|canParse|adoptedCallback', // Chrome 111, 120
      'Array\\.fromAsync', // Chrome 121
      'showPopover|checkVisibility', // Chrome 114, 105
    ]
    expect(newer.filter((name) => new RegExp(`\\b(?:${name})\\b`).test(readWidget()))).toEqual([])
  })
})
