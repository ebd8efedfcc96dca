/** The page's state and how it begins. Views are pure functions of the state; every change draws the page anew. */
import { usual } from '../conditions.ts'
import { people, TAKEN } from '../users.ts'
import { type ConditionActions, createConditionActions } from './condition-actions.ts'
import { putConditions, takeWechat, watchDemo } from './demo-client.ts'
import { askBinding, type BackEndView, disconnect } from './host-site-client.ts'
import type { PageState, Screen, Store } from './page-state.ts'
import { createPhoneActions, type PhoneActions } from './phone-actions.ts'
import { type Person, parseSettings, readConditions, type Settings, toSearch } from './settings.ts'
import { setBrowser } from './simulated-browser.ts'
import { giveUp, merge, watchEvents } from './traffic-entries.ts'

export type Actions = PhoneActions & ConditionActions & ReturnType<typeof createActions>

export async function createApp(draw: (state: PageState, actions: Actions) => void): Promise<void> {
  const settings = parseSettings(location.search, navigator.languages)
  setBrowser(settings)
  const named = readConditions(location.search)
  const demo = (await putConditions(named)) ?? { conditions: usual, usual, isReal: false }
  if (settings.person === TAKEN) await takeWechat(TAKEN)
  let state: PageState = {
    settings,
    demo,
    simulator: undefined,
    screens: firstScreens(settings),
    pressed: undefined,
    albums: {},
    backEnd: { state: 'asking' },
    wire: [],
    openEntries: new Set(),
    clearedAt: 0,
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
  watchEvents((entry) => store.write({ wire: merge(store.read().wire, [entry]) }))
  watchDemo({
    onDemo: actions.heedDemo,
    onSimulator: (simulator) => store.write({ simulator }),
    onWire: (news) => store.write({ wire: merge(store.read().wire, news) }),
    onLost: () => store.write({ wire: giveUp(store.read().wire) }),
  })
  actions.set({})
  void actions.askBackEnd()
  actions.renewWhenReady(named)
}

function firstScreens({ context }: Settings): PageState['screens'] {
  const screen: Screen = { name: isOnPhone(context) ? 'browser' : 'home' }
  return Object.fromEntries(people.map((person) => [person, screen])) as PageState['screens']
}

/** Whether the host site is open on the phone, and not beside it. */
export const isOnPhone = (context: Settings['context']) => context === 'wechat' || context === 'mobile'

function createActions({ read, write }: Store) {
  /** How often the back end was asked: an answer that was overtaken by a later question is dropped. */
  let questions = 0

  async function ask(answer: (user: string) => Promise<BackEndView>): Promise<void> {
    questions += 1
    const question = questions
    const backEnd = await answer(read().settings.user)
    if (question === questions) write({ backEnd })
  }

  function changeHands(person: Person): void {
    write({ pressed: undefined })
    if (person === TAKEN) void takeWechat(TAKEN)
  }

  return {
    set(change: Partial<Settings>): void {
      const { settings: before } = read()
      const settings = { ...before, ...change }
      history.replaceState(null, '', toSearch(settings, location.search))
      setBrowser(settings)
      const isElsewhere = settings.context !== before.context
      write({ settings, ...(isElsewhere ? { screens: firstScreens(settings) } : {}) })
      if (settings.person !== before.person) changeHands(settings.person)
      if (settings.user === before.user) return
      write({ backEnd: { state: 'asking' } })
      void ask(askBinding)
    },
    askBackEnd: () => ask(askBinding),
    disconnect: () => ask(disconnect),
    toggleEntry(id: number, isOpen: boolean): void {
      const openEntries = new Set(read().openEntries)
      if (openEntries.has(id) === isOpen) return
      if (isOpen) openEntries.add(id)
      else openEntries.delete(id)
      write({ openEntries })
    },
    clearWire: () => write({ clearedAt: Date.now(), openEntries: new Set() }),
    /** Puts a text on the clipboard; `what` tells the button that it worked. */
    async copy(text: string, what: string): Promise<void> {
      await writeClipboard(text)
      write({ copied: what })
    },
  }
}

/** The clipboard is there over https and on this machine only; elsewhere the old way has to do. */
async function writeClipboard(text: string): Promise<void> {
  if (navigator.clipboard) return navigator.clipboard.writeText(text)
  const field = document.body.appendChild(document.createElement('textarea'))
  field.value = text
  field.select()
  document.execCommand('copy')
  field.remove()
}
