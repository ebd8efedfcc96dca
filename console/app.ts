/** Creates the console's state and actions. Every change draws the page again. */
import { createConsoleClient, type Failure } from './console-client.ts'
import { createLiveFeed } from './live-feed.ts'
import { createLoader } from './loader.ts'
import { blankPages, createPageActions } from './page-actions.ts'
import type { PageState, Store } from './page-state.ts'
import { type Preferences, readPreferences, writePreferences } from './preferences.ts'
import { createQuestions } from './questions.ts'
import { parseRoute, type Route, toHash } from './route.ts'
import { createSessionActions, type SessionActions } from './session.ts'

/** How often the displayed page is reloaded and its relative times are updated. */
const REFRESH_MS = 10_000
/** Events come in bursts, so the page is reloaded only after this pause. */
const EVENT_PAUSE_MS = 500

export type ConsoleDeps = {
  fetch: typeof globalThis.fetch
  storage: Storage
  languages: readonly string[]
  clock: () => number
  draw: (state: PageState, actions: Actions) => void
  save: (file: Blob, name: string) => void
}

export type Actions = SessionActions &
  ReturnType<typeof createQuestions> &
  ReturnType<typeof createPageActions> & { setPreferences(change: Partial<Preferences>): void }

/** Starts the console. Returns the function that stops it. */
export function startConsole({ fetch, storage, languages, clock, draw, save }: ConsoleDeps): () => void {
  let state: PageState = {
    preferences: readPreferences(storage, languages),
    session: { state: 'unknown' },
    route: parseRoute(location.hash),
    now: clock(),
    ...blankPages(),
  }
  const store: Store = {
    read: () => state,
    write(change) {
      state = { ...state, ...change }
      draw(state, actions)
    },
  }
  const csrf = () => (state.session.state === 'signedIn' ? state.session.view.csrf : undefined)
  const client = createConsoleClient(fetch, csrf)
  const onFailure = ({ code }: Failure) => {
    if (code === 'UNAUTHORIZED' && state.session.state === 'signedIn') session.end()
  }
  const loader = createLoader({ store, clock, onFailure })
  const pages = createPageActions({ store, loader, client })

  let eventTimer: ReturnType<typeof setTimeout> | undefined
  const feed = createLiveFeed({
    client,
    store,
    onFailure,
    onEvents() {
      eventTimer ??= setTimeout(() => {
        eventTimer = undefined
        if (state.route.name === 'users') pages.reload('refresh')
        else refresh()
      }, EVENT_PAUSE_MS)
    },
  })

  const session = createSessionActions({
    client,
    store,
    onSignedIn() {
      enter()
      watch()
    },
    onSignedOut() {
      loader.stop()
      feed.reset()
      store.write(blankPages())
    },
  })
  const questions = createQuestions({
    client,
    store,
    loader,
    onFailure,
    save,
    isShown: ({ tenant, account, userId }) =>
      toHash(state.route) === toHash({ name: 'user', user: { tenant, account, userId } }),
    reload: () => pages.reload('refresh'),
    leaveUser() {
      // Removes the erased user's ids from the browser's history.
      history.replaceState(null, '', toHash({ name: 'users' }))
      onHashChange()
    },
  })
  const actions: Actions = {
    ...session.actions,
    ...questions,
    ...pages,
    setPreferences(change: Partial<Preferences>) {
      const preferences = { ...state.preferences, ...change }
      writePreferences(storage, preferences)
      store.write({ preferences })
    },
  }

  let shown: Route['name'] | undefined
  /** Loads the page of the route. The overview shows the old figures until the figures of the new period are loaded. */
  function enter(): void {
    if (state.session.state !== 'signedIn') return
    const { name } = state.route
    pages.reload(name === 'overview' && name === shown ? 'replace' : 'fresh')
    shown = name
  }

  function refresh(): void {
    if (document.hidden || state.session.state !== 'signedIn') return
    store.write({ now: clock() })
    // These two pages are not reloaded: the rows of the search would move while somebody reads them, and a report of the doctor
    // does not change.
    const isSteady = state.route.name === 'users' || state.route.name === 'doctor'
    if (!isSteady && state.question === undefined) pages.reload('refresh')
  }

  function watch(): void {
    if (state.session.state !== 'signedIn') return
    if (document.hidden) feed.stop()
    else feed.start()
  }

  function onHashChange(): void {
    store.write({ route: parseRoute(location.hash), question: undefined, note: undefined, revealed: undefined })
    enter()
  }
  const onVisible = () => {
    refresh()
    watch()
  }
  addEventListener('hashchange', onHashChange)
  document.addEventListener('visibilitychange', onVisible)
  const timer = setInterval(refresh, REFRESH_MS)
  store.write({})
  void session.actions.readSession()

  return () => {
    clearInterval(timer)
    clearTimeout(eventTimer)
    removeEventListener('hashchange', onHashChange)
    document.removeEventListener('visibilitychange', onVisible)
    loader.stop()
    feed.reset()
  }
}
