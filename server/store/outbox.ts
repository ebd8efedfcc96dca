/**
 * The outbox: events that a tenant's webhook has to receive. An event is inserted in the transaction of the change itself and is
 * kept until the receiver has accepted it or the sender has given up.
 */
import type { EventReason, EventType, Identity } from './identity.ts'

/** One event of the outbox. WeChat's ids are read when the event is sent, so they are null if its binding was removed before. */
export type Notice = {
  id: number
  /** The `webhook-id`: random, and the same for every receiver and attempt. */
  uid: string
  identity: Identity
  type: EventType
  reason: EventReason
  version: number
  /** Epoch ms of the change. */
  at: number
  appId: string | null
  openid: string | null
  unionid: string | null
  /** Failed attempts so far. */
  attempts: number
}

export type NoticeState = 'waiting' | 'failed'

export type Outbox = {
  /**
   * The events of these tenants that are due at `now`, oldest first. Only the first waiting event of each user is returned, so
   * that a user's events are sent in order. The caller leaves out tenants whose receiver is busy, and tenants without a webhook.
   */
  due(now: number, tenants: string[], limit: number): Promise<Notice[]>
  /** When the next event of these tenants is due, in epoch ms; undefined when no event is waiting. */
  nextAt(tenants: string[]): Promise<number | undefined>
  /** Removes the event from the outbox. */
  delivered(id: number): Promise<void>
  /** Counts a failed attempt; the event is due again at `at`. */
  retryAt(id: number, at: number): Promise<void>
  /** Marks the event as failed, so that it no longer delays later events of the same user. */
  giveUp(id: number): Promise<void>
  list(state: NoticeState, limit: number): Promise<Notice[]>
  /** Makes the failed event `id` due at `now`, or all failed events when there is no `id`. Returns their number. */
  replay(now: number, id?: number): Promise<number>
  /** Acquires or extends, until `until`, the lease that allows sending. Returns false while another holder has the lease. */
  lease(holder: string, now: number, until: number): Promise<boolean>
  release(holder: string): Promise<void>
}
