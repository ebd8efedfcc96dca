/** The pages of the users: search, one user, and the operators' actions. */

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
