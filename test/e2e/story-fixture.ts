/** Starts a demo and a browser for the tests of a file. Also contains the user actions that several test files share. */
import { afterEach, beforeEach, expect } from 'vitest'
import { click, inState, type Session, type Tab, type Target, testId, until } from '../support/driver.ts'
import { useDriver } from './engine-driver.ts'
import { useDemo } from './use-demo.ts'

export function createFixture() {
  const driver = useDriver()
  const running = useDemo()
  let session: Session
  /** Whether the test expects failing requests, which the browser reports as console errors. */
  let expectsRefusals: boolean

  beforeEach(async () => {
    expectsRefusals = false
    session = await driver.current.startSession()
  })
  afterEach(async () => {
    await session.close()
    await running.reset()
    const isRefusal = (text: string) => expectsRefusals && text.startsWith('Failed to load resource')
    expect(session.errors.filter((text) => !isRefusal(text))).toEqual([])
  })

  return {
    get demo() {
      return running.demo
    },

    /** Opens the demo's page in a new tab. */
    async open(query = ''): Promise<Tab> {
      const tab = await session.openTab()
      await tab.goto(`${running.demo.url}/?lang=en${query}`)
      return tab
    },

    expectRefusals(): void {
      expectsRefusals = true
    },
  }
}

/** The element's events in the page's log, oldest first, for example `bound (initial)`. Omits `statechange`. */
export const eventsOf = (tab: Tab): Promise<string[]> =>
  tab.run(() => {
    const titles = [...document.querySelectorAll('[data-testid=wire-entry][data-kind=event] .entry-title')]
    return titles
      .map((title) => title.textContent)
      .filter((text) => !text.startsWith('statechange'))
      .reverse()
  })

/** Waits until the page's log has these events. */
export const expectEvents = (tab: Tab, events: string[]) => expect.poll(() => eventsOf(tab)).toEqual(events)

/** Scans the page's QR code with the simulated phone. */
export async function scan(tab: Tab): Promise<void> {
  await inState(tab, 'ready')
  await click(tab, testId('scan-button'))
}

export const follow = (tab: Tab) => click(tab, testId('follow-button'))

export async function unfollow(tab: Tab): Promise<void> {
  await click(tab, testId('account-button'))
  await click(tab, testId('unfollow-button'))
}

/** The chat message that contains `text`. */
export const chat = (text: string): Target => ({ ...testId('chat-message'), text })

/** The traffic log's entry that contains `text`. */
export const entry = (text: string): Target => ({ ...testId('wire-entry'), text })

/** Waits until the host site's back end reports the state. */
export const backEndReports = (tab: Tab, isBound: boolean) =>
  until(`bound=${isBound} in the back end`, () =>
    tab.run((bound) => !!document.querySelector(`[data-testid=bind-status][data-bound=${bound}]`), isBound),
  )
