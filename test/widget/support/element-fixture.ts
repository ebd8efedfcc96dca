/** Functions that mount and operate the element in tests. In these tests, a fake server answers the page's `fetch`. */
import { fixture, html, oneEvent } from '@open-wc/testing'
import { setupWorker } from 'msw/browser'
import { http } from 'msw/http'
import { afterAll, afterEach, beforeAll, beforeEach, expect } from 'vitest'
import '../../../widget/define.ts'
import type { BindEventDetails } from '../../../widget/events.ts'
import type { StateName } from '../../../widget/state.ts'
import type { WechatBind } from '../../../widget/wechat-bind.ts'
import { restoreBrowser } from './browser.ts'
import { observe, until } from './changes.ts'
import { createFakeServer, type FakeServer } from './fake-server.ts'
import { type Pending, watchPending } from './pending.ts'

const worker = setupWorker()
/** The fake server of the current test. */
export let server: FakeServer
let pending: Pending
let test = ''

beforeAll(() => worker.start({ quiet: true, onUnhandledFrame: 'bypass' }))
// The test does not wait for `stop`, because its promise does not resolve while the page closes.
afterAll(() => void worker.stop())

beforeEach(({ task }) => {
  test = task.id
  open()
  pending = watchPending(test)
})

afterEach(() => {
  pending.end()
  worker.resetHandlers()
  restoreBrowser()
})

/** Starts a new fake server. A test may call it to set options. */
export function open(options = {}): void {
  server = createFakeServer(test, options)
  worker.resetHandlers()
  worker.use(...server.handlers)
}

/** Lets the page's own server answer `/my-token` from now on. */
export const answerTokenUrl = (answer: () => Response) => worker.use(http.get('*/my-token', answer))

type Template = ReturnType<typeof html>
export const plain = html`<wechat-bind token="token" lang="en"></wechat-bind>`

export const eventOf = <Name extends keyof BindEventDetails>(element: Element, name: Name) =>
  oneEvent<CustomEvent<BindEventDetails[Name]>>(element, name)

export async function reach(element: WechatBind, name: StateName): Promise<WechatBind> {
  observe(element)
  await until(() => element.state === name)
  await element.updateComplete
  return element
}

export async function mount(name: StateName = 'ready', template: Template = plain): Promise<WechatBind> {
  return reach(await fixture<WechatBind>(template), name)
}

export const part = <E extends Element>(element: WechatBind, name: string) =>
  element.renderRoot.querySelector<E & HTMLElement>(`[part='${name}']`)

export const words = (element: WechatBind) => part(element, 'card')?.innerText ?? ''

export function button(element: WechatBind, label: string): HTMLButtonElement {
  const found = [...element.renderRoot.querySelectorAll('button')].find(({ textContent }) => textContent === label)
  if (!found) throw new Error(`No button "${label}" in: ${words(element)}`)
  return found
}

export async function click(element: WechatBind, label: string): Promise<void> {
  button(element, label).click()
  await element.updateComplete
}

export async function scan(element: WechatBind, confirm: 'reply' | 'code' = 'reply'): Promise<void> {
  await server.parkedPoll()
  server.change({ state: 'scanned', confirm })
  await reach(element, 'scanned')
}

export async function bind(element: WechatBind): Promise<void> {
  await server.parkedPoll()
  server.change({ state: 'bound', boundAt: 1_700_000_000 })
  await reach(element, 'bound')
}

/** Resolves when exactly `count` requests are pending. */
export function requestsToBe(count: number): Promise<void> {
  return until(() => pending.requests === count)
}

export async function expectNothingPending(): Promise<void> {
  await requestsToBe(0)
  expect(pending.timers).to.equal(0)
}

export async function type(element: WechatBind, text: string): Promise<void> {
  const field = part<HTMLInputElement>(element, 'field')
  if (!field) throw new Error('No field')
  field.value = text
  field.dispatchEvent(new InputEvent('input', { bubbles: true }))
  await element.updateComplete
}
