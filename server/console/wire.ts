/**
 * The JSON between the console's page and its server. This file has only types and imports nothing, so the page can import it.
 *
 * All paths are relative to the page (`api/session`), because the console can be mounted anywhere. No id of a person is in a URL:
 * requests that name a user or search for one are `POST` with a JSON body. Every request except `GET` needs the header
 * `X-Console-CSRF` with the token of `SessionView`; only the sign-in needs none. Refusals are `Problem` (`server/wire.ts`):
 * 401 `UNAUTHORIZED` (sign in again), 403 `FORBIDDEN` (the role, the host, the origin or the CSRF token), 429 `RATE_LIMITED` with
 * `Retry-After`. Times are epoch ms.
 *
 * | request | body | answer |
 * | --- | --- | --- |
 * | `GET api/session` | | `SessionState` |
 * | `POST api/session` | `SignIn` | `SessionView` (401 for a wrong token, 429 after five wrong ones within a minute) |
 * | `DELETE api/session` | | 204 |
 * | `GET api/meta` | | `Meta` |
 * | `GET api/overview?range=24h&tenant=` | | `Overview`; without `tenant`, all tenants |
 * | `POST api/users/search` | `UserSearch` | `UserList` |
 * | `POST api/users/show` | `UserName` | `UserView` (404 `NOT_FOUND` for a user that the server does not know) |
 * | `POST api/users/unbind` * | `UserName` | `UserView` (409 `NOT_BOUND`) |
 * | `POST api/users/erase` * | `UserName` | `Erased` |
 * | `POST api/users/export` * | `UserName` | the JSON of ExportUser, as a download |
 * | `POST api/users/reveal` * | `UserName` | `Revealed`; adds an entry with the operator's name to the user's history |
 * | `GET api/webhooks` | | `Webhooks` |
 * | `POST api/webhooks/replay` * | `NoticeChoice` | `Replayed`: failed notices are due now, with all attempts |
 * | `POST api/webhooks/retry` * | `NoticeChoice` | `Replayed`: waiting notices are due now |
 * | `POST api/webhooks/enable` * | `ReceiverChoice` | `Webhooks` |
 * | `POST api/webhooks/test` * | `ReceiverChoice` | `TestOutcome` |
 * | `GET api/doctor` | | `DoctorReport`; the last report; `at` is null if there is none |
 * | `POST api/doctor` * | | `DoctorReport`; takes up to 15 s |
 * | `GET api/live?after=&wait=25` | | `LivePage`; waits at most `wait` seconds (0 to 25) for an event |
 *
 * `*`: only an operator; a viewer gets 403 `FORBIDDEN`.
 */

export type Role = 'viewer' | 'operator'

/** A text for operators, in English and in Chinese. */
export type Words = { en: string; zh: string }

/** What is wrong, and what to do about it. */
export type Advice = Words & { fix?: Words }

// Session

export type SignIn = { token: string }

/** `csrf` is sent in `X-Console-CSRF`. */
export type SessionView = { name: string; role: Role; expiresAt: number; csrf: string }

/** `offers`: only in the demo, whose sign-in offers a token for each role. */
export type SessionState =
  | ({ signedIn: true } & SessionView)
  | { signedIn: false; offers?: { name: string; role: Role; token: string }[] }

/** `confirm` is the setting `CONFIRM`: with `off` the funnel has no step `confirmed` of its own. */
export type Meta = {
  version: string
  tenants: string[]
  languages: string[]
  accountName: string | null
  appId: string
  confirm: 'off' | 'reply' | 'code'
  conflict: 'reject' | 'replace' | 'allow'
}

// Overview

export type Range = '24h' | '7d' | '30d'

/**
 * Counts of a period. `shown`: new QR codes. `scanned`: QR codes that were scanned, or whose code was sent to the chat. `confirmed`:
 * scans that needed no confirmation or were confirmed. `bound`: bindings from scans and codes. `unbound`: ended bindings.
 */
export type Funnel = { shown: number; scanned: number; confirmed: number; bound: number; unbound: number }

/** `unknown`: there are no measurements yet. `advice` is present for `warn` and `bad`. */
export type Light = { light: 'ok' | 'warn' | 'bad' | 'unknown'; advice?: Advice }

export type Overview = {
  range: Range
  tenant: string | null
  from: number
  until: number
  funnel: Funnel
  /** The preceding period of the same length. */
  previous: Funnel
  /** The tenants with the most bindings first. At most 100. */
  byTenant: ({ tenant: string } & Funnel)[]
  /**
   * One point per hour, without gaps. The page sums the points of each day in the reader's time zone. `at`: when the hour begins.
   */
  series: ({ at: number } & Funnel)[]
  timeToBind: TimeToBind
  now: Now
}

/** From the QR code to the binding, in seconds. The quantiles are null while `count` is 0. */
export type TimeToBind = {
  count: number
  p50: number | null
  p90: number | null
  p99: number | null
  /** `upTo` is exclusive and in seconds; null for the last bucket, which has no limit. */
  buckets: { from: number; upTo: number | null; count: number }[]
}

export type Now = {
  /** Pages that wait, at all instances. `limit`: `MAX_WAITERS` of all instances. */
  waiting: Light & { pages: number; limit: number; instances: number }
  /** The last callback that was accepted by any instance. */
  lastCallback: Light & { at: number | null }
  accessToken: Light & { fetchedAt: number | null; expiresAt: number | null }
  /** Refusals of WeChat's API since `since`, the most recent first. */
  wechatErrors: Light & { since: number; codes: WechatErrorCount[] }
  /**
   * `seconds`: the age of the oldest event that waits for a receiver that is on. It is 0 if no event waits, and null without
   * receivers.
   */
  webhooks: Light & { seconds: number | null; receivers: number; off: number; waiting: number; failed: number }
}

/** `errcode`: WeChat's number, or 0 when WeChat could not be reached. */
export type WechatErrorCount = { errcode: number; count: number; lastAt: number; advice: Advice }

// Users

export type UserName = { tenant: string; account: string; userId: string }

/**
 * `q`: an Account, the beginning of a User_ID, `ACCOUNT USER_ID`, an OpenID or a UnionID. An empty `q` lists the bound users, the
 * newest binding first. `limit`: 1 to 100, default 50.
 */
export type UserSearch = { q: string; tenant?: string; cursor?: string; limit?: number }

/** `next` is null on the last page. */
export type UserList = { items: UserLine[]; next: string | null }

/** `found`: the kind of id by which the user was found. */
export type UserLine = UserName & {
  state: 'bound' | 'unbound'
  boundAt: number | null
  subscribed: boolean | null
  label: string | null
  /** For example `oAbc…9xYz`. Null for a viewer. */
  openid: string | null
  found: 'binding' | 'userId' | 'account' | 'openid' | 'unionid'
}

export type UserView = UserName & {
  /** The user's name in the server's log and in the header `Bind-User`. */
  bindUser: string
  version: number
  state: 'bound' | 'scanned' | 'unbound'
  /** Why the last binding ended. */
  reason: string | null
  binding: BindingView | null
  /** The newest first; at most 200. */
  history: HistoryEntry[]
  historyIsCut: boolean
  /** The newest first; at most 50. */
  tickets: TicketView[]
  /** Webhook notices about this user that are waiting or have failed. */
  notices: NoticeOfUser[]
}

/** The ids are masked, and null for a viewer. `hasUnionid` tells a viewer whether the user has a unionid. */
export type BindingView = {
  appId: string
  openid: string | null
  unionid: string | null
  hasUnionid: boolean
  subscribed: boolean
  boundAt: number
  label: string | null
}

/**
 * `bound`, `unbound` and `updated` are events of the binding; `revealed` and `exported` are actions in the console.
 * `by`: the name of the operator who did it in the console.
 */
export type HistoryEntry = {
  id: string
  type: 'bound' | 'unbound' | 'updated' | 'revealed' | 'exported'
  reason: string | null
  version: number | null
  at: number
  by: string | null
}

export type TicketView = {
  state: 'pending' | 'scanned' | 'used' | 'replaced' | 'dead' | 'expired'
  createdAt: number
  expiresAt: number
  label: string | null
}

export type NoticeOfUser = {
  id: string
  receiver: string | null
  state: 'waiting' | 'failed'
  attempts: number
  /** Null for a notice that was given up, or whose receiver is off. */
  nextAt: number | null
}

export type Erased = { erased: true }

export type Revealed = { openid: string; unionid: string | null }

// Webhooks

export type Webhooks = {
  receivers: Receiver[]
  /** The oldest first; at most 100 of each. `…Count` counts all. */
  waiting: NoticeLine[]
  waitingCount: number
  failed: NoticeLine[]
  failedCount: number
}

export type Receiver = Light & {
  name: string
  tenant: string | null
  /** Without user, password and query, which may be secret. For a viewer, the path is removed too. */
  url: string
  /** Null: all types. */
  types: string[] | null
  status: 'on' | 'gone' | 'off'
  waiting: number
  failed: number
  failures: number
  failingSince: number | null
  pausedUntil: number | null
  lastFailure: ({ at: number } & Failure) | null
}

/** One of the two is set: the status of the answer, or the code of a request without an answer. */
export type Failure = { status: number | null; error: string | null }

export type NoticeLine = UserName & {
  /** For `NoticeChoice`. */
  id: number
  /** The `webhook-id`. */
  uid: string
  /** Null while the event has not been moved to the queues of its receivers. */
  receiver: string | null
  type: 'binding.bound' | 'binding.unbound' | 'binding.updated'
  reason: string
  version: number
  at: number
  attempts: number
  /** Null for a notice that was given up, or whose receiver is off. */
  nextAt: number | null
  failure: Failure | null
  /** What the failure means and what to do. */
  advice: Advice | null
}

/** One notice, the notices of one receiver, or all. */
export type NoticeChoice = { id?: number; receiver?: string }

export type Replayed = { count: number }

export type ReceiverChoice = { receiver: string }

export type TestOutcome = { accepted: boolean; failure: Failure | null; advice: Advice | null; ms: number }

// Doctor

export type DoctorReport = { at: number | null; by: string | null; findings: Finding[] }

export type Finding = Words & { id: string; level: 'ok' | 'warn' | 'wrong'; fix?: Words; addresses?: string[] }

// Live

/** The value for `after` in the next request. Without `after`, the page gets the newest events (at most 50), the newest last. */
export type LivePage = { events: LiveEvent[]; cursor: string }

export type LiveEvent = UserName & {
  id: string
  type: 'binding.bound' | 'binding.unbound' | 'binding.updated'
  reason: string
  version: number
  at: number
}
