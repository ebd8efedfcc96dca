/** Opens the console in the page of the tests, over the fake server. */
import { afterEach, expect } from 'vitest'
import { type Locator, page } from 'vitest/browser'
import { startConsole } from '../../../console/app.ts'
import { createDraw } from '../../../console/draw.ts'
import type { Preferences } from '../../../console/preferences.ts'
import '../../../console/styles/page.css'
import { NOW } from './console-data.ts'
import { createFakeConsole, type FakeConsole } from './fake-console.ts'

export type OpenConsole = {
  fake: FakeConsole
  root: HTMLElement
  /** The text of the downloads, in order. */
  saved: { name: string; file: Blob }[]
  /** The paths of the page's requests that were answered, in order. */
  answered: string[]
}

type OpenOptions = { fake?: FakeConsole; hash?: string; preferences?: Partial<Preferences> }

let stopShown = () => {}

afterEach(() => {
  stopShown()
  localStorage.clear()
})

/** Closes the console that is open, and opens another one. */
export async function openConsole({
  fake = createFakeConsole(),
  hash = '',
  preferences = {},
}: OpenOptions = {}): Promise<OpenConsole> {
  stopShown()
  localStorage.setItem('wechat-bind-console', JSON.stringify({ lang: 'en', theme: 'light', ...preferences }))
  await setHash(hash)
  const root = document.body.appendChild(document.createElement('div'))
  const saved: OpenConsole['saved'] = []
  const answered: string[] = []
  const stop = startConsole({
    async fetch(input, init) {
      const response = await fake.app.request(new URL(String(input), 'http://console.test/').href, init)
      answered.push(String(input))
      return response
    },
    storage: localStorage,
    languages: ['en'],
    clock: () => NOW,
    draw: createDraw(root),
    save: (file, name) => saved.push({ file, name }),
  })
  stopShown = () => {
    stopShown = () => {}
    stop()
    fake.clear()
    root.remove()
  }
  await expect.element(page.getByRole('heading', { level: 1 })).toBeVisible()
  return { fake, root, saved, answered }
}

/** Waits for the event, so that the console that is opened next does not get it. */
function setHash(hash: string): Promise<void> {
  if (location.hash === hash) return Promise.resolve()
  return new Promise((resolve) => {
    addEventListener('hashchange', () => resolve(), { once: true })
    location.hash = hash
  })
}

/** Expects that the text of the element contains `part`. */
export const says = (locator: Locator, part: string) => expect.poll(() => locator.query()?.textContent).toContain(part)

/** Resolves when the page shows its content. */
export const loaded = (root: HTMLElement) =>
  expect
    .poll(() => root.querySelector('[aria-busy=true], .bone') === null && root.querySelector('h1') !== null)
    .toBe(true)
