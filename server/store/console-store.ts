/**
 * The interface of the store for the console: sessions, the log of actions, the figures, and searches for users. Times are epoch
 * ms.
 */
import type { BindingEvent } from './event-feed.ts'
import type { Identity } from './identity.ts'

export type ConsoleAction =
  | 'sign_in'
  | 'sign_out'
  | 'unbind'
  | 'erase'
  | 'export'
  | 'reveal'
  | 'replay'
  | 'retry'
  | 'enable'
  | 'test'
  | 'doctor'

/** `hash` is a hash of the cookie, `tokenHash` a hash of the operator's secret. */
export type ConsoleSession = { hash: string; name: string; tokenHash: string; until: number }

/** An action about no user, or about a user that is erased. `subject` says what the action was about. */
export type ActionRecord = { at: number; operator: string; action: ConsoleAction; subject: string | null }

/** An action about a user. `version` is the user's version after the action. */
export type UserAction = { id: number; at: number; operator: string; action: ConsoleAction; version: number | null }

export const funnelSteps = ['shown', 'scanned', 'confirmed', 'bound', 'unbound'] as const

export type FunnelStep = (typeof funnelSteps)[number]

export type FunnelCounts = Record<FunnelStep, number>

// The limits range from a quick scan to a user who first has to follow the account. The metrics have the same limits.
/** The upper limits of the buckets of the time to bind, in seconds. A last bucket has no limit. */
export const BIND_SECONDS = [2, 5, 10, 15, 20, 30, 45, 60, 90, 120, 180, 300, 600] as const

/** The counts of one hour and tenant. `took` has one count for each bucket. */
export type Figures = FunnelCounts & { hour: number; tenant: string; took: number[] }

/** The sum of several hours. */
export type FigureSum = FunnelCounts & { took: number[] }

/** Refusals of WeChat's API in one hour. `errcode` 0: WeChat did not answer. */
export type WechatErrors = { hour: number; errcode: number; count: number; lastAt: number }

export type InstanceState = {
  name: string
  at: number
  waiting: number
  waitingLimit: number
  callbackAt: number | null
  tokenAt: number | null
  tokenUntil: number | null
}

/** The counts of an instance since it last wrote them to the store. */
export type CountedFigures = { figures: Figures[]; errors: WechatErrors[]; instance: InstanceState }

export type ConsoleReport = { at: number; operator: string; text: string }

export type FoundUser = {
  id: number
  identity: Identity
  /** The kind of id by which the user was found. */
  by: 'binding' | 'userId' | 'account' | 'openid' | 'unionid'
  binding: { openid: string; subscribed: boolean; boundAt: number; label: string | null } | null
}

/** `text`: an account, an openid, a unionid or the beginning of a user id; empty: the bindings, the newest first. */
export type UserQuery = { text: string; tenant?: string | undefined }

/** The place of a user in the results: the step of the search, and the key of the user in the order of this step. */
export type UserPlace = [step: number, ...key: (string | number)[]]

/** The users after the place, at most `limit`, each with its own place. */
export type UserSearch = (query: UserQuery, after: UserPlace | undefined, limit: number) => Promise<PlacedUser[]>

export type PlacedUser = FoundUser & { place: UserPlace }

/**
 * The place of a reader of all events. PostgreSQL assigns ids before the commits, so an event with a smaller id may become
 * visible after an event with a larger id. `gaps` are the ids shortly before `newest` that the reader has not seen.
 */
export type LivePlace = { newest: number; gaps: number[] }

export type LiveEvent = Omit<BindingEvent, 'appId' | 'openid' | 'unionid'>

export type LiveEvents = { events: LiveEvent[]; next: LivePlace }

export type ConsoleStore = {
  addSession(session: ConsoleSession): Promise<void>
  /** Undefined for a session that has ended. */
  session(hash: string, now: number): Promise<ConsoleSession | undefined>
  endSession(hash: string): Promise<void>
  /** Takes back an attempt that `countAttempt` has counted. */
  refundAttempt(scope: string): Promise<void>
  /** When the window of attempts ends; undefined without a window. */
  attemptsUntil(scope: string, now: number): Promise<number | undefined>
  record(action: ActionRecord): Promise<void>
  addFigures(counted: CountedFigures): Promise<void>
  /** The sums of each hour in `[from, until)`, of all tenants or of one tenant. Hours without a count are left out. */
  hourly(from: number, until: number, tenant: string | undefined): Promise<(FigureSum & { hour: number })[]>
  /** The sums of `[from, until)` of each tenant. The tenants with the most bindings come first. */
  byTenant(from: number, until: number, limit: number): Promise<(FunnelCounts & { tenant: string })[]>
  /** The sum of `[from, until)`. */
  total(from: number, until: number, tenant: string | undefined): Promise<FunnelCounts>
  wechatErrors(since: number): Promise<Omit<WechatErrors, 'hour'>[]>
  instances(): Promise<InstanceState[]>
  /** The tenants that have users. */
  tenants(): Promise<string[]>
  searchUsers: UserSearch
  saveReport(name: string, report: ConsoleReport): Promise<void>
  report(name: string): Promise<ConsoleReport | undefined>
  /** Without a place, returns the newest events, at most `limit`. The oldest event comes first. */
  liveEvents(after: LivePlace | undefined, limit: number): Promise<LiveEvents>
}
