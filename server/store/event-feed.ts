/** The feed of a tenant's events. Each reader has a separate position. */
import type { EventReason, EventType, Identity } from './identity.ts'

/** One change of a binding. WeChat's ids are the ids of the current binding. They are null after the binding was removed. */
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

/**
 * The position of a reader. `uid` is the uid of the event at this position, or null. A store restored from a backup may have
 * another event at this position, and this event has another uid.
 */
export type FeedPosition = { position: number; uid: string | null }

export type FeedQuery = {
  tenant: string
  /** Only the events of this user. */
  user?: Identity | undefined
  /** Undefined: from the oldest stored event. */
  after: FeedPosition | undefined
  limit: number
}

export type FeedPage = { events: BindingEvent[]; next: FeedPosition; hasMore: boolean }

/** `gone`: events after the position have expired, or the store was restored from a backup that is older than the position. */
export type EventFeed = (query: FeedQuery) => Promise<FeedPage | 'gone'>
