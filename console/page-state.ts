/** The state of the console's page, and the store that its actions use. Views are pure functions of the state. */
import type {
  DoctorReport,
  LiveEvent,
  Meta,
  NoticeChoice,
  Overview,
  Revealed,
  SessionState,
  SessionView,
  TestOutcome,
  UserLine,
  UserName,
  UserView,
  Webhooks,
} from '../server/console/wire.ts'
import type { Failure } from './console-client.ts'
import type { Preferences } from './preferences.ts'
import type { Route } from './route.ts'

/** What a page shows. A `value` was loaded at `at` (epoch ms). With `failure`, a later refresh has failed. */
export type Loadable<T> =
  | { state: 'loading' }
  | { state: 'failed'; failure: Failure }
  | { state: 'ready'; value: T; at: number; failure?: Failure }

export type Offers = Extract<SessionState, { signedIn: false }>['offers']

/** `hasEnded`: the server has ended the session of this page. */
export type Session =
  | { state: 'unknown' }
  | { state: 'failed'; failure: Failure }
  | { state: 'signedOut'; offers: Offers; isBusy: boolean; hasEnded: boolean; failure?: Failure }
  | { state: 'signedIn'; view: SessionView; meta: Meta | undefined }

export type UserQuery = { q: string; tenant?: string }

/** `cursors`: the cursors of the pages from the second page to the displayed page. The first page has no cursor. */
export type Search = { query: UserQuery; cursors: string[] }

export type UsersPage = Search & { items: UserLine[]; next: string | null }

/** An action that the operator has asked for and not confirmed yet. `count`: the number of notices. */
export type Question =
  | { name: 'unbind' | 'erase' | 'export' | 'reveal'; user: UserName }
  | { name: 'replay' | 'retry'; choice: NoticeChoice; count: number }
  | { name: 'enable' | 'test'; receiver: string }

/** `isBusy`: the server has not answered yet. `failure`: the server has refused the action. */
export type OpenQuestion = { question: Question; isBusy: boolean; failure?: Failure }

/** The result of an action. */
export type Note =
  | { name: 'unbound' | 'erased' | 'exported' | 'revealed'; user: UserName }
  | { name: 'replayed' | 'retried'; count: number }
  | { name: 'enabled'; receiver: string }
  | { name: 'tested'; receiver: string; outcome: TestOutcome }

export type NoticeKind = 'failed' | 'waiting'

/** `isPaused`: new events are counted and not shown. */
export type Live = {
  state: 'connecting' | 'open' | 'lost'
  failure?: Failure
  isPaused: boolean
  events: readonly LiveEvent[]
  held: readonly LiveEvent[]
}

export type PageState = {
  preferences: Preferences
  session: Session
  route: Route
  /** Epoch ms. Relative times are computed from this time. */
  now: number
  overview: Loadable<Overview>
  /** The last search. Signing out clears it, because its text may be an openid. */
  search: Search
  users: Loadable<UsersPage>
  user: Loadable<UserView>
  /** The ids of the shown user, after an operator has revealed them. */
  revealed: Revealed | undefined
  webhooks: Loadable<Webhooks>
  /** Undefined until the reader has chosen. */
  notices: NoticeKind | undefined
  doctor: Loadable<DoctorReport>
  isDoctorRunning: boolean
  live: Live
  question: OpenQuestion | undefined
  note: Note | undefined
}

export type Store = { read: () => PageState; write: (change: Partial<PageState>) => void }
