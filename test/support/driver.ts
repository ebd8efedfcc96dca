/**
 * A browser as the stories need it: a story is written once and runs in every engine. A driver for each automation library
 * implements these few methods. The functions below find elements, wait and click with nothing but `run` and the pointer.
 */
import { setTimeout as delay } from 'node:timers/promises'

export type SessionOptions = {
  width?: number
  height?: number
  /** Device pixels per CSS pixel. With half the width, this is a page at 200 % zoom. */
  scale?: number
  /** The high-contrast mode of the system. */
  forcedColors?: boolean
}

export interface Driver {
  /** The version that the browser reports. */
  readonly version: string
  /** Starts with empty storage. */
  startSession(options?: SessionOptions): Promise<Session>
  close(): Promise<void>
}

/**
 * What an engine, or its automation, may be unable to do. `bfcache`: restore a page from the back/forward cache; `hiddenTabs`: tell
 * a tab in the background that it is hidden; `narrow`: make a window of 320 px.
 */
export type Ability = 'bfcache' | 'forcedColors' | 'hiddenTabs' | 'narrow'

export interface Session {
  openTab(): Promise<Tab>
  /** Uncaught errors and console errors of the pages, which include violations of the content policy. */
  readonly errors: string[]
  close(): Promise<void>
}

export interface Tab {
  goto(url: string): Promise<void>
  reload(): Promise<void>
  /** One step back in the history. */
  back(): Promise<void>
  /** Brings the tab to the front. */
  show(): Promise<void>
  /** Runs `task` in the page. It uses no variable from outside itself. */
  run<Result, Arg = undefined>(task: (arg: Arg) => Result, arg?: Arg): Promise<Awaited<Result>>
  /** Clicks at a point of the viewport, in CSS pixels. */
  clickAt(x: number, y: number): Promise<void>
  /** Presses the keys of the text, one after the other. */
  type(text: string): Promise<void>
  screenshot(): Promise<Buffer>
}

/** Which elements: those that match `css` and contain `text`, inside `within` or its shadow root. `at`: the index, -1 for the last. */
export type Target = { css: string; text?: string | undefined; within?: Target; at?: number }

/** The place and the text of a target. `hit`: a click at `x`, `y` reaches the element. */
type Found = { x: number; y: number; text: string; hit: boolean }

export const testId = (id: string): Target => ({ css: `[data-testid=${id}]` })

export const card: Target = { css: 'wechat-bind' }

/** A button in the card. */
export const button = (text?: string, at = 0): Target => ({ css: 'button', text, within: card, at })

/** Runs in the page: scrolls to the first visible match and returns its place. */
function findInPage(target: Target): Found | undefined {
  const isVisible = (element: Element) => {
    const { width, height } = element.getBoundingClientRect()
    return width > 0 && height > 0 && getComputedStyle(element).visibility === 'visible'
  }
  const textOf = (element: Element) => element.getAttribute('aria-label') ?? (element as HTMLElement).innerText
  const select = ({ css, text, within, at }: Target): Element[] => {
    const roots: ParentNode[] = within
      ? select(within).flatMap((root) => [root, root.shadowRoot ?? []].flat())
      : [document]
    const all = roots
      .flatMap((root) => [...root.querySelectorAll(css)])
      .filter((each) => isVisible(each) && (text === undefined || textOf(each).includes(text)))
    return at === undefined ? all : all.slice(at).slice(0, 1)
  }
  const [found] = select(target)
  if (!found) return undefined
  found.scrollIntoView({ block: 'nearest', inline: 'nearest' })
  const { left, top, width, height } = found.getBoundingClientRect()
  const [x, y] = [left + width / 2, top + height / 2]
  let top_ = document.elementFromPoint(x, y)
  while (top_?.shadowRoot && top_ !== found) {
    const inner: Element | null = top_.shadowRoot.elementFromPoint(x, y)
    if (!inner || inner === top_) break
    top_ = inner
  }
  const isDisabled = found.matches(':disabled, [aria-disabled=true]')
  return { x, y, text: textOf(found), hit: !isDisabled && found.contains(top_) }
}

const TIMEOUT_MS = 20_000
const PAUSE_MS = 50

/** Asks every 50 ms until the answer is neither undefined nor false. WebDriver cannot report a change of the page by itself. */
export async function until<Value>(what: string, ask: () => Promise<Value | undefined | null | false>): Promise<Value> {
  const end = performance.now() + TIMEOUT_MS
  for (;;) {
    const value = await ask()
    if (value !== undefined && value !== null && value !== false) return value
    if (performance.now() > end) throw new Error(`Waited ${TIMEOUT_MS / 1000} s for ${what}`)
    await delay(PAUSE_MS)
  }
}

const nameOf = (target: Target) => JSON.stringify(target)

/** The target now, without waiting. */
export const find = (tab: Tab, target: Target): Promise<Found | undefined> => tab.run(findInPage, target)

/** Waits until the target is visible. Returns its text. */
export async function textOf(tab: Tab, target: Target): Promise<string> {
  return (await until(nameOf(target), () => find(tab, target))).text
}

export const waitGone = (tab: Tab, target: Target) =>
  until(`the end of ${nameOf(target)}`, async () => !(await find(tab, target)))

/** Waits until the target stands still and nothing covers it, and clicks it. */
export async function click(tab: Tab, target: Target): Promise<void> {
  let before: Found | undefined
  const { x, y } = await until(`a click on ${nameOf(target)}`, async () => {
    const [last, found] = [before, await find(tab, target)]
    before = found
    return found?.hit && last?.x === found.x && last.y === found.y && found
  })
  await tab.clickAt(x, y)
}

/** Replaces the text of a field with real keys. */
export async function fill(tab: Tab, target: Target, text: string): Promise<void> {
  await click(tab, target)
  await tab.run(() => {
    let active = document.activeElement
    while (active?.shadowRoot?.activeElement) active = active.shadowRoot.activeElement
    ;(active as HTMLInputElement).select()
  })
  await tab.type(text)
}

/** Chooses an option of a select element of the page. */
export async function choose(tab: Tab, { css }: Target, value: string): Promise<void> {
  await tab.run(
    ([css, value]) => {
      const select = document.querySelector(css) as HTMLSelectElement
      select.value = value
      for (const type of ['input', 'change']) select.dispatchEvent(new Event(type, { bubbles: true }))
    },
    [css, value] as [string, string],
  )
}

export const stateOf = (tab: Tab): Promise<string | undefined> =>
  tab.run(() => (document.querySelector('wechat-bind') as { state?: string } | null)?.state)

/** Waits until the element of the page is in the state. */
export const inState = (tab: Tab, name: string) => until(`the state ${name}`, async () => (await stateOf(tab)) === name)
