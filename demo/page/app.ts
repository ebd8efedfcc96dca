/** Creates the QA page's state and actions, and starts the page. Views are pure functions of the state, and every change renders the page again. */
import { defaultConditions } from '../conditions.ts'
import { people, TAKEN } from '../users.ts'
import { type ConditionActions, createConditionActions } from './condition-actions.ts'
import { bindToOtherUser, getConditions, putConditions, watchDemo } from './demo-client.ts'
import { type BackEndView, disconnect, fetchBinding } from './host-site-client.ts'
import type { PagePart, PageState, Screen, Store } from './page-state.ts'
import { createPhoneActions, type PhoneActions } from './phone-actions.ts'
import { type Person, parseSettings, readConditions, type Settings, toSearch } from './settings.ts'
import { simulateBrowser } from './simulated-browser.ts'
import { createPhoneClient } from './simulator-client.ts'
import { failPending, merge, watchEvents } from './traffic-entries.ts'

export type Actions = PhoneActions & ConditionActions & ReturnType<typeof createActions>

export async function createApp(draw: (state: PageState, actions: Actions) => void): Promise<void> {
  const settings = parseSettings(location.search, navigator.languages)
  simulateBrowser(settings)
  const named = readConditions(location.search)
  // If the link contains conditions, the page sets them. Otherwise it keeps the conditions that a test or the visitor
  // has set before.
  const answer = await (Object.keys(named).length > 0 ? putConditions(named) : getConditions())
  const { view: demo, now } = answer ?? {
    view: { conditions: defaultConditions, usual: defaultConditions, isReal: false },
    now: Date.now(),
  }
  if (settings.person === TAKEN) await bindToOtherUser(TAKEN)
  const narrow = matchMedia('(max-width: 719px)')
  let state: PageState = {
    settings,
    demo,
    simulator: undefined,
    screens: firstScreens(settings),
    pressed: undefined,
    albums: {},
    backEnd: { state: 'loading' },
    wire: [],
    openEntries: new Set(),
    clearedAt: now,
    isNarrow: narrow.matches,
    part: 'site',
    copied: undefined,
  }
  const store: Store = {
    read: () => state,
    write(change) {
      state = { ...state, ...change }
      draw(state, actions)
    },
  }
  const actions: Actions = {
    ...createPhoneActions(store),
    ...createConditionActions(store),
    ...createActions(store),
  }
  narrow.addEventListener('change', ({ matches }) => store.write({ isNarrow: matches }))
  watchEvents((entry) => store.write({ wire: merge(store.read().wire, [entry]) }))
  watchDemo({
    onDemo: actions.showDemo,
    onSimulator: (simulator) => store.write({ simulator }),
    onWire: (entries) => store.write({ wire: merge(store.read().wire, entries) }),
    onLost: () => store.write({ wire: failPending(store.read().wire) }),
  })
  actions.set({})
  void actions.checkBackEnd()
  actions.requestNewQrWhenReady(named)
}

function firstScreens({ context }: Settings): PageState['screens'] {
  const screen: Screen = { name: isOnPhone(context) ? 'browser' : 'home' }
  return Object.fromEntries(people.map((person) => [person, screen])) as PageState['screens']
}

/**
 * Tells the simulated WeChat which person uses this browser. The WeChat pages in this browser then belong to that
 * person.
 */
function enterWechat({ context, person, authorize }: Settings): void {
  if (context === 'wechat')
    void createPhoneClient(person)
      .browse(authorize)
      .catch(() => {})
}

/** Whether the host site is displayed on the phone and not next to the phone. */
export const isOnPhone = (context: Settings['context']) => context === 'wechat' || context === 'mobile'

function createActions({ read, write }: Store) {
  /** The number of requests to the back end so far. The page uses only the response to the latest request. */
  let requestCount = 0

  async function load(answer: (user: string) => Promise<BackEndView>): Promise<void> {
    requestCount += 1
    const request = requestCount
    const backEnd = await answer(read().settings.user)
    if (request === requestCount) write({ backEnd })
  }

  function selectPerson(person: Person): void {
    write({ pressed: undefined })
    if (person === TAKEN) void bindToOtherUser(TAKEN)
  }

  return {
    set(change: Partial<Settings>): void {
      const { settings: before } = read()
      const settings = { ...before, ...change }
      // The fragment may contain the result of a web authorization. The element needs this result and removes it.
      history.replaceState(null, '', toSearch(settings, location.search) + location.hash)
      simulateBrowser(settings)
      if (!read().demo.isReal) enterWechat(settings)
      const hasMoved = settings.context !== before.context
      write({ settings, ...(hasMoved ? { screens: firstScreens(settings) } : {}) })
      if (settings.person !== before.person) selectPerson(settings.person)
      if (settings.user === before.user) return
      write({ backEnd: { state: 'loading' } })
      void load(fetchBinding)
    },
    showPart: (part: PagePart) => write({ part }),
    checkBackEnd: () => load(fetchBinding),
    disconnect: () => load(disconnect),
    toggleEntry(id: number, isOpen: boolean): void {
      const openEntries = new Set(read().openEntries)
      if (openEntries.has(id) === isOpen) return
      if (isOpen) openEntries.add(id)
      else openEntries.delete(id)
      write({ openEntries })
    },
    clearWire: () => write({ clearedAt: Date.now(), openEntries: new Set() }),
    showEarlierWire: () => write({ clearedAt: 0 }),
    /** Copies a text to the clipboard. `what` is the name of the button, which then displays "Copied". */
    async copy(text: string, what: string): Promise<void> {
      await writeClipboard(text)
      write({ copied: what })
    },
  }
}

/** `navigator.clipboard` exists only over https and on localhost. Other pages use the deprecated `execCommand`. */
async function writeClipboard(text: string): Promise<void> {
  if (navigator.clipboard) return navigator.clipboard.writeText(text)
  const field = document.body.appendChild(document.createElement('textarea'))
  field.value = text
  field.select()
  document.execCommand('copy')
  field.remove()
}
