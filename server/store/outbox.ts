/** Changes on their way to the tenants' webhooks: written with the change itself, kept until they are taken or given up. */
import type { UnbindReason } from '../wire.ts'
import type { BindReason, Identity } from './identity.ts'

/** A change to be told. The ids of WeChat are read at the time of sending: an openid that was erased since is null. */
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
  /** How often it was tried. */
  attempts: number
}

export type NoticeState = 'waiting' | 'failed'

export type Outbox = {
  /**
   * What is due, the oldest first: for each user only the first that waits, so that nothing overtakes. `tenants` may be
   * told now; the others are busy or gone.
   */
  due(now: number, tenants: string[], limit: number): Promise<Notice[]>
  /** When the next one of these tenants falls due, epoch ms; undefined when none waits. */
  nextAt(tenants: string[]): Promise<number | undefined>
  delivered(id: number): Promise<void>
  retryAt(id: number, at: number): Promise<void>
  /** Given up; what comes after it may pass. */
  giveUp(id: number): Promise<void>
  list(state: NoticeState, limit: number): Promise<Notice[]>
  /** Makes what failed wait again, due at once; returns how many. Without an id: all. */
  replay(now: number, id?: number): Promise<number>
  /** Takes or keeps the right to send until `until`; false while another holder has it. */
  lease(holder: string, now: number, until: number): Promise<boolean>
  release(holder: string): Promise<void>
}
