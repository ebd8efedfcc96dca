/** The tables. Integer keys where tables are hot; times are epoch ms, `event_time` is WeChat's Unix seconds; flags are 0 or 1. */
import type { Generated } from 'kysely'
import type { Confirm, UnbindReason } from '../../wire.ts'
import type { NoticeState } from '../outbox.ts'
import type { BindReason, Language, TicketState } from '../store.ts'

export type Tables = {
  users: {
    id: Generated<number>
    tenant: string
    account: string
    user_id: string
    version: Generated<number>
    reason: UnbindReason | null
  }
  bindings: {
    user: number
    tenant: string
    app_id: string
    openid: string
    unionid: string | null
    /** When to ask WeChat for the unionid; null once it was asked. */
    unionid_due: number | null
    subscribed: number
    bound_at: number
    event_time: number
    label: string | null
    lang: Language
    /** The user's version that this binding made. */
    version: number
  }
  tickets: {
    id: Generated<number>
    user: number
    app_id: string
    scene: string
    code: string
    wechat_ticket: string
    url: string
    label: string | null
    lang: Language
    created_at: number
    expires_at: number
    state: TicketState['name']
    /** The fingerprint of the delivery that bound it. */
    used_by: string | null
    confirm: Confirm | null
    openid: string | null
    event_time: number | null
    confirm_until: number | null
    digits: string | null
    tries_left: number | null
    reason: BindReason | null
  }
  /** Append-only: what happened to each user, without any id of WeChat's. */
  events: {
    id: Generated<number>
    user: number
    version: number
    type: 'bound' | 'unbound'
    reason: string
    at: number
  }
  /** The reply to each delivery, and in plain mode the body that came with each nonce. */
  deliveries: { key: string; text: string | null; until: number }
  unfollow_tombstones: { openid_hash: string; event_time: number; until: number }
  /** What waits for the webhook of its tenant, by the id of its event. */
  outbox: {
    event: number
    user: number
    tenant: string
    state: NoticeState
    next_at: number
    attempts: Generated<number>
  }
  leases: { name: string; holder: string; until: number }
  wrong_codes: { id: Generated<number>; openid_hash: string; at: number }
  jtis: { id: Generated<number>; jti: string; until: number }
}
