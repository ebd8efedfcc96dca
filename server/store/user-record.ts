/** All stored data of one user, without secrets, scenes and codes. Times are epoch ms. */

import type { AuthorizationState } from './authorization.ts'
import type { UserAction } from './console-store.ts'
import type { EventReason, EventType, Language } from './identity.ts'
import type { NoticeState } from './outbox.ts'
import type { TicketState, User } from './user.ts'

export type UserRecord = {
  user: User
  history: RecordedEvent[]
  tickets: RecordedTicket[]
  authorizations: RecordedAuthorization[]
  notices: RecordedNotice[]
  /** The actions of operators in the console about this user. */
  actions: UserAction[]
}

type RecordedEvent = { uid: string; type: EventType; reason: EventReason; version: number; at: number }

type RecordedTicket = {
  appId: string
  state: TicketState['name']
  label: string | null
  lang: Language
  createdAt: number
  expiresAt: number
  /** The openid that has scanned the ticket, while the ticket waits for its confirmation. */
  scannedBy: string | null
}

/** `receiver`: null while the event has not been moved to the queues of its receivers. */
type RecordedNotice = { uid: string; receiver: string | null; state: NoticeState; nextAt: number; attempts: number }
type RecordedAuthorization = {
  appId: string
  state: AuthorizationState['name']
  returnUrl: string
  createdAt: number
  until: number
  /** The openid from WeChat, while the authorization waits for its confirmation. */
  openid: string | null
}
