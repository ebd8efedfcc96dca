/** Pages as people have them: left and restored, in many tabs, with the system's contrast, and enlarged. Every engine runs these tests. */
import { Hono } from 'hono'
import { afterEach, describe, expect, test } from 'vitest'
import { type Fixture, type FixtureOptions, openFixture, STRICT } from '../support/browser-fixture.ts'
import {
  button,
  card,
  click,
  fill,
  inState,
  type Session,
  type SessionOptions,
  type Tab,
  textOf,
} from '../support/driver.ts'
import { QR_TEXT } from '../support/fake-bind.ts'
import { titleWith } from '../support/missing-tool.ts'
import { readPicture } from '../support/read-picture.ts'
import { isAble, useDriver } from './engine-driver.ts'

const driver = useDriver()
let session: Session
let fixture: Fixture

afterEach(async () => {
  await session.close()
  await fixture.close()
  const isRefusal = (text: string) => text.includes('status of 422')
  expect(session.errors.filter((text) => !isRefusal(text))).toEqual([])
})

async function start(options: FixtureOptions = {}, sessionOptions: SessionOptions = {}): Promise<Tab> {
  const more = new Hono().get('/other', (c) => c.html('<title>Another page</title>'))
  fixture = await openFixture({ policy: `${STRICT}; img-src data:`, more, ...options })
  session = await driver.current.startSession(sessionOptions)
  return openTab()
}

async function openTab(): Promise<Tab> {
  const tab = await session.openTab()
  await tab.goto(fixture.url)
  return tab
}

/** The state changes one frame before the picture. */
const expectScannable = (tab: Tab) =>
  expect.poll(async () => readPicture(await tab.screenshot())).toEqual([QR_TEXT, QR_TEXT])

describe('a page to which the user goes back', () => {
  /** Goes to another page and back. An engine with a back/forward cache must restore the page from it. */
  async function leaveAndReturn(tab: Tab, meanwhile = () => {}): Promise<void> {
    await inState(tab, 'ready')
    await fixture.bind.untilPolling()
    await tab.run(() => {
      addEventListener('pageshow', ({ persisted }) => {
        document.title = persisted ? 'restored' : 'loaded'
      })
    })
    await tab.goto(`${fixture.url}/other`)
    // A request that stays open would keep the page from being restored.
    await expect.poll(() => fixture.bind.waitingPolls).toBe(0)
    meanwhile()
    await tab.back()
    if (isAble('bfcache')) await expect.poll(() => tab.run(() => document.title)).toBe('restored')
  }

  test('waits again, and hears of a binding', async () => {
    const tab = await start({ user: 'u1' })
    await leaveAndReturn(tab)
    await inState(tab, 'ready')
    await fixture.bind.untilPolling()
    fixture.bind.bind()
    await inState(tab, 'bound')
  })

  test('shows a binding that was made meanwhile', async () => {
    const tab = await start({ user: 'u1' })
    await leaveAndReturn(tab, () => fixture.bind.bind())
    await inState(tab, 'bound')
  })
})

describe('eight tabs of a user', () => {
  const TABS = 8

  async function openAll(options: FixtureOptions): Promise<Tab[]> {
    const tabs = [await start(options, { width: 480, height: 640 })]
    for (const tab of tabs) {
      await inState(tab, 'ready')
      if (tabs.length < TABS) tabs.push(await openTab())
    }
    return tabs
  }

  async function expectAllBound(tabs: Tab[]): Promise<void> {
    for (const tab of tabs) {
      await tab.show()
      await inState(tab, 'bound')
    }
  }

  test('share one request, so that the six connections to a host suffice, and all hear of the binding', async () => {
    const tabs = await openAll({ user: 'u1' })
    await expect.poll(() => fixture.bind.waitingPolls).toBe(1)
    fixture.bind.bind()
    await expectAllBound(tabs)
  })

  test.skipIf(!isAble('hiddenTabs'))(
    titleWith(
      'a browser that hides tabs while it is automated',
      isAble('hiddenTabs'),
      'wait one at a time without Web Locks: only the visible tab polls',
    ),
    async () => {
      // Without the header `Bind-User` the tabs share nothing, as on a page without https.
      const tabs = await openAll({})
      await expect.poll(() => fixture.bind.waitingPolls).toBe(1)
      fixture.bind.bind()
      await expectAllBound(tabs)
    },
  )
})

describe('the contrast mode of the system', () => {
  test.skipIf(!isAble('forcedColors'))(
    titleWith('a browser with forced colours', isAble('forcedColors'), 'leaves the QR code dark on light'),
    async () => {
      const tab = await start({}, { forcedColors: true, width: 480, height: 640 })
      await inState(tab, 'ready')
      expect(await tab.run(() => matchMedia('(forced-colors: active)').matches)).toBe(true)
      await expectScannable(tab)
    },
  )
})

/** Runs in the page. What a person cannot see or reach: parts beyond the edge, text that is cut off, controls on top of each other. */
function lossesIn(): string[] {
  const root = document.querySelector('wechat-bind')!.shadowRoot!
  const all = [...root.querySelectorAll<HTMLElement>('.card, .card *:not(svg *)')].filter((each) => each.offsetParent)
  const nameOf = (element: Element) => `${element.localName} ${element.getAttribute('part') ?? element.className}`
  const beyond = all.filter((each) => {
    const { left, right } = each.getBoundingClientRect()
    return left < 0 || right > innerWidth + 0.5
  })
  const cut = all.filter((each) => {
    // The space after the last digit is no loss.
    const spacing = each.localName === 'input' ? Number.parseFloat(getComputedStyle(each).letterSpacing) : 0
    return each.clientWidth > 0 && each.scrollWidth > each.clientWidth + spacing + 1
  })
  const controls = all.filter((each) => each.matches('button, a, input'))
  const covered = controls.filter((one) =>
    controls.some((other) => {
      const [a, b] = [one.getBoundingClientRect(), other.getBoundingClientRect()]
      return (
        one !== other && a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 1 && b.top < a.bottom - 1
      )
    }),
  )
  const sideways = document.documentElement.scrollWidth > innerWidth ? ['the page scrolls sideways'] : []
  const notes = [
    ['beyond the edge', beyond],
    ['cut off', cut],
    ['covered', covered],
  ] as const
  return [...sideways, ...notes.flatMap(([note, found]) => found.map((each) => `${nameOf(each)} is ${note}`))]
}

describe('a window of 320 px', () => {
  /** Every state with a text or control of its own. */
  async function expectNoLoss(tab: Tab): Promise<void> {
    const losses: Record<string, string[]> = {}
    const look = async (name: string) => {
      losses[name] = await tab.run(lossesIn)
    }
    await inState(tab, 'ready')
    await look('ready')
    await expectScannable(tab)
    await click(tab, button('Can’t scan?'))
    await textOf(tab, { css: 'code', within: card })
    await look('text')
    await fixture.bind.untilPolling()
    fixture.bind.change({ state: 'scanned', confirm: 'code' })
    await inState(tab, 'scanned')
    await fill(tab, { css: 'input', within: card }, '1111')
    await textOf(tab, { css: '#hint', text: 'Tries left: 2', within: card })
    await look('scanned')
    await fill(tab, { css: 'input', within: card }, '4821')
    await inState(tab, 'bound')
    await look('bound')
    await click(tab, button('Unbind'))
    await textOf(tab, { css: '[part=status]', text: 'Unbind WeChat?', within: card })
    await look('question')
    await click(tab, button('Unbind', -1))
    await inState(tab, 'ready')
    expect(Object.entries(losses).filter(([, found]) => found.length > 0)).toEqual([])
  }

  const needs = 'a browser whose window can be so narrow'
  const canBe = isAble('narrow')

  test.skipIf(!canBe)(titleWith(needs, canBe, 'loses nothing at a zoom of 200 %'), async () => {
    await expectNoLoss(await start({}, { width: 160, height: 400, scale: 2 }))
  })

  test.skipIf(!canBe)(titleWith(needs, canBe, 'loses nothing with text of 200 %'), async () => {
    const tab = await start({}, { width: 320, height: 640 })
    await tab.run(() => document.documentElement.style.setProperty('font-size', '200%'))
    await expectNoLoss(tab)
  })
})
