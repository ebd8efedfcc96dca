/**
 * The outbox: events that a tenant's webhook has to receive. An event is inserted in the transaction of the change itself and is
 * kept until the receiver has accepted it or the sender has given up.
 */
import type { UnbindReason } from '../wire.ts'
import type { BindReason, Identity } from './identity.ts'

/** One event of the outbox. WeChat's ids are read when the event is sent: they are null once that binding has been removed. */
export type Notice = {
  id: number
  identity: Identity
  type: 'bound' | 'unbound'
  reason: BindReason | UnbindReason
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
   * that a user's events are sent in order. The caller leaves out tenants whose receiver is busy or has no webhook.
   */
  due(now: number, tenants: string[], limit: number): Promise<Notice[]>
  /** When the next event of these tenants is due, epoch ms; undefined when none is waiting. */
  nextAt(tenants: string[]): Promise<number | undefined>
  /** Removes the event from the outbox. */
  delivered(id: number): Promise<void>
  /** Counts a failed attempt; the event is due again at `at`. */
  retryAt(id: number, at: number): Promise<void>
  /** Marks the event as failed; later events of the same user are sent without it. */
  giveUp(id: number): Promise<void>
  list(state: NoticeState, limit: number): Promise<Notice[]>
  /** Makes one failed event, or all of them when there is no `id`, due at `now`; returns how many. */
  replay(now: number, id?: number): Promise<number>
  /** Acquires or extends the lease to send until `until`; false while another holder has it. */
  lease(holder: string, now: number, until: number): Promise<boolean>
  release(holder: string): Promise<void>
}
