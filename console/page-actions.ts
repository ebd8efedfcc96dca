/** The actions of the pages: load, search, turn pages, run. */
import type { UserName } from '../server/console/wire.ts'
import type { ConsoleClient } from './console-client.ts'
import type { Loader, LoadMode } from './loader.ts'
import type { Live, NoticeKind, PageState, Store, UserQuery } from './page-state.ts'
import { type Route, toHash } from './route.ts'

const USERS_PER_PAGE = 25

const firstLive: Live = { state: 'connecting', isPaused: false, events: [], held: [] }

/** The state of the pages before the first load and after signing out. */
export const blankPages = () =>
  ({
    overview: { state: 'loading' },
    search: { query: { q: '' }, cursors: [] },
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

type PageParts = { store: Store; loader: Loader; client: ConsoleClient }

export function createPageActions({ store, loader, client }: PageParts) {
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

  function searchUsers(query: UserQuery, cursors: string[] = [], mode: LoadMode = 'replace'): Promise<void> {
    write({ search: { query, cursors } })
    return loadUsers(query, cursors, mode)
  }

  function reload(mode: LoadMode): void {
    const { route } = read()
    if (route.name === 'overview') {
      void loader.load('overview', mode, (signal) => client.overview(route.range, route.tenant, signal))
    }
    if (route.name === 'users') {
      const { query, cursors } = read().search
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
      const { query, cursors } = read().search
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
