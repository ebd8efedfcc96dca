/** The page's state and what changes it. Views are pure functions of the state; every change draws the page anew. */
import type { SimulatorView } from '../simulator/control.ts'
import { shoot } from './camera.ts'
import { askBinding, type BackEndView, disconnect } from './host-client.ts'
import { type Person, parseSettings, type Settings, toSearch } from './settings.ts'
import { createPhoneClient, type PhoneClient, watchSimulator } from './simulator-client.ts'

/** What a phone shows. `view`: what its camera saw last. */
export type Screen =
  | { name: 'home' | 'follow' | 'chat' | 'profile' | 'expired' | 'unknown' | 'offline' }
  | { name: 'scanner'; found: 'looking' | 'nothing'; view?: HTMLCanvasElement | undefined }

export type PageState = {
  settings: Settings
  /** Undefined until the simulator has answered. */
  simulator: SimulatorView | undefined
  screens: Record<Person, Screen>
  backEnd: BackEndView
}

export type Actions = ReturnType<typeof createActions>

// A camera needs a moment, and a hand a little longer: 8 looks, then the person is told that there is nothing.
const LOOKS = 8
const LOOK_EVERY_MS = 250

export function createApp(draw: (state: PageState, actions: Actions) => void): void {
  let state: PageState = {
    settings: parseSettings(location.search, navigator.languages),
    simulator: undefined,
    screens: { amy: { name: 'home' }, bo: { name: 'home' } },
    backEnd: { state: 'asking' },
  }
  const read = () => state
  const write = (change: Partial<PageState>) => {
    state = { ...state, ...change }
    draw(state, actions)
  }
  const actions = createActions(read, write)
  watchSimulator((simulator) => write({ simulator }))
  actions.set({})
  void actions.askBackEnd()
}

function createActions(read: () => PageState, write: (change: Partial<PageState>) => void) {
  /** Ends the look through the camera that is under way. */
  let looking = new AbortController()
  /** How often the back end was asked: an answer that was overtaken by a later question is dropped. */
  let questions = 0

  const show = (person: Person, screen: Screen) => write({ screens: { ...read().screens, [person]: screen } })

  /** What a person did with the phone; one that cannot reach the simulator says so. */
  async function gesture(run: (phone: PhoneClient, person: Person) => Promise<void>): Promise<void> {
    const { person } = read().settings
    await run(createPhoneClient(person), person).catch(() => show(person, { name: 'offline' }))
  }

  async function ask(answer: (user: string) => Promise<BackEndView>): Promise<void> {
    questions += 1
    const question = questions
    const backEnd = await answer(read().settings.user)
    if (question === questions) write({ backEnd })
  }

  async function look(phone: PhoneClient, person: Person, signal: AbortSignal): Promise<void> {
    let view: HTMLCanvasElement | undefined
    for (let count = 0; count < LOOKS; count += 1) {
      const shot = await shoot('wechat-bind')
      if (signal.aborted) return
      view = shot?.view
      show(person, { name: 'scanner', found: 'looking', view })
      await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS))
      if (signal.aborted) return
      if (shot?.text !== undefined) {
        const { screen } = await phone.scan(shot.text)
        return show(person, { name: screen })
      }
    }
    show(person, { name: 'scanner', found: 'nothing', view })
  }

  return {
    set(change: Partial<Settings>): void {
      const before = read().settings
      const settings = { ...before, ...change }
      history.replaceState(null, '', toSearch(settings, location.search))
      write({ settings })
      if (settings.user === before.user) return
      write({ backEnd: { state: 'asking' } })
      void ask(askBinding)
    },
    open(name: 'home' | 'chat' | 'profile'): void {
      looking.abort()
      show(read().settings.person, { name })
    },
    scan: () =>
      gesture((phone, person) => {
        looking.abort()
        looking = new AbortController()
        show(person, { name: 'scanner', found: 'looking' })
        return look(phone, person, looking.signal)
      }),
    follow: () =>
      gesture(async (phone, person) => {
        await phone.follow()
        show(person, { name: 'chat' })
      }),
    unfollow: () =>
      gesture(async (phone, person) => {
        await phone.unfollow()
        show(person, { name: 'home' })
      }),
    sendText: (content: string) => gesture((phone) => phone.sendText(content)),
    tap: (href: string) => gesture((phone) => phone.tap(href)),
    askBackEnd: () => ask(askBinding),
    disconnect: () => ask(disconnect),
  }
}
