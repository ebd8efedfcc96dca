/** The feed of a tenant's events, which any number of readers follow with a position of their own. */
import type { EventReason, EventType, Identity } from './identity.ts'

/** One change of a binding. WeChat's ids are those of the binding as it is now, and null once it has been removed. */
export type BindingEvent = {
  /** The `webhook-id`. */
  uid: string
  identity: Identity
  type: EventType
  reason: EventReason
  version: number
  /** Epoch ms. */
  at: number
  appId: string | null
  openid: string | null
  unionid: string | null
}

/** How far a reader has come. `uid` is that of the event at the position, if there is one: a restored store has another event there. */
export type FeedPosition = { position: number; uid: string | null }

export type FeedQuery = {
  tenant: string
  /** That user alone. */
  user?: Identity | undefined
  /** Undefined: from the oldest event that is kept. */
  after: FeedPosition | undefined
  limit: number
}

export type FeedPage = { events: BindingEvent[]; next: FeedPosition; hasMore: boolean }

/** `gone`: events after the position have expired, or the store was restored to a time before it. */
export type EventFeed = (query: FeedQuery) => Promise<FeedPage | 'gone'>
