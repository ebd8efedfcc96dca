/** Creates the console's state and actions. Every change draws the page again. */
import type { UserName } from '../server/console/wire.ts'
import { createConsoleClient, type Failure } from './console-client.ts'
import { createLiveFeed } from './live-feed.ts'
import { createLoader, type LoadMode } from './loader.ts'
import type { Live, NoticeKind, PageState, Store, UserQuery, UsersPage } from './page-state.ts'
import { type Preferences, readPreferences, writePreferences } from './preferences.ts'
import { createQuestions } from './questions.ts'
import { parseRoute, type Route, toHash } from './route.ts'
import { createSessionActions, type SessionActions } from './session.ts'

/** How often the shown page is loaded again, and the ages on it are counted anew. */
const REFRESH_MS = 10_000
/** Events come in bursts: a page is loaded again for them after this pause. */
const EVENT_PAUSE_MS = 500
const USERS_PER_PAGE = 25

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

type PageParts = {
  store: Store
  loader: ReturnType<typeof createLoader>
  client: ReturnType<typeof createConsoleClient>
}

const firstLive: Live = { state: 'connecting', isPaused: false, events: [], held: [] }

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
    reload: () => pages.reload('refresh'),
    leaveUser() {
      // The erased user remains in no entry of the browser's history.
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

  /** Loads the page of the route. */
  function enter(): void {
    if (state.session.state === 'signedIn') pages.reload(isSamePage(state.route) ? 'replace' : 'fresh')
  }
  let shownPage: Route['name'] | undefined
  function isSamePage({ name }: Route): boolean {
    const isSame = shownPage === name && name !== 'user'
    shownPage = name
    return isSame && name === 'overview'
  }

  function refresh(): void {
    if (document.hidden || state.session.state !== 'signedIn') return
    store.write({ now: clock() })
    // Rows that move while somebody reads them are no help, and a report of the doctor does not change.
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

const blankPages = () =>
  ({
    overview: { state: 'loading' },
    users: { state: 'loading' },
    user: { state: 'loading' },
    revealed: undefined,
    webhooks: { state: 'loading' },
    notices: undefined,
    doctor: { state: 'loading' },
    isDoctorRunning: false,
    live: firstLive,
    question: undefined,
    note: undefined,
  }) satisfies Partial<PageState>

const goTo = (route: Route) => {
  location.hash = toHash(route)
}

function createPageActions({ store, loader, client }: PageParts) {
  const { read, write } = store

  function loadUsers(query: UserQuery, cursors: string[], mode: LoadMode): Promise<void> {
    return loader.load('users', mode, async (signal) => {
      const cursor = cursors.at(-1)
      const answer = await client.searchUsers(
        { ...query, limit: USERS_PER_PAGE, ...(cursor === undefined ? {} : { cursor }) },
        signal,
      )
      return answer.ok ? { ok: true, value: { query, cursors, ...answer.value } } : answer
    })
  }

  const shownUsers = (): Pick<UsersPage, 'query' | 'cursors'> => {
    const { users } = read()
    return users.state === 'ready' ? users.value : lastQuery
  }
  /** What was asked last: the page of a failed search asks it again. */
  let lastQuery: Pick<UsersPage, 'query' | 'cursors'> = { query: { q: '' }, cursors: [] }

  function searchUsers(query: UserQuery, cursors: string[] = [], mode: LoadMode = 'replace'): Promise<void> {
    lastQuery = { query, cursors }
    return loadUsers(query, cursors, mode)
  }

  function reload(mode: LoadMode): void {
    const { route } = read()
    if (route.name === 'overview') {
      void loader.load('overview', mode, (signal) => client.overview(route.range, route.tenant, signal))
    }
    if (route.name === 'users') {
      const { query, cursors } = shownUsers()
      void searchUsers(query, cursors, mode)
    }
    if (route.name === 'user') void loader.load('user', mode, (signal) => client.user(route.user, signal))
    if (route.name === 'webhooks') void loader.load('webhooks', mode, client.webhooks)
    if (route.name === 'doctor' && !read().isDoctorRunning) void loader.load('doctor', mode, client.doctor)
  }

  return {
    reload,
    goTo,
    searchUsers: (query: UserQuery) => searchUsers(query),
    nextUsers(): void {
      const { users } = read()
      if (users.state !== 'ready' || users.value.next === null) return
      void searchUsers(users.value.query, [...users.value.cursors, users.value.next])
    },
    previousUsers(): void {
      const { query, cursors } = shownUsers()
      void searchUsers(query, cursors.slice(0, -1))
    },
    openUser: (user: UserName) => goTo({ name: 'user', user }),
    showNotices: (notices: NoticeKind) => write({ notices }),
    async runDoctor(): Promise<void> {
      if (read().isDoctorRunning) return
      write({ isDoctorRunning: true })
      await loader.load('doctor', 'replace', () => client.runDoctor())
      write({ isDoctorRunning: false })
    },
    pauseLive(isPaused: boolean): void {
      const { live } = read()
      const events = isPaused ? live.events : [...live.events, ...live.held]
      write({ live: { ...live, isPaused, events, held: [] } })
    },
    clearLive: () => write({ live: { ...read().live, events: [], held: [] } }),
  }
}
