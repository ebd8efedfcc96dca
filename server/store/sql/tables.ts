/**
 * The tables after all migrations. `../README.md` describes each table and column. Times are epoch ms, except `event_time`, which
 * is WeChat's `CreateTime` in Unix seconds. Flags are 0 or 1.
 */
import type { Generated } from 'kysely'
import type { Confirm, Notice, UnbindReason } from '../../wire.ts'
import type { AuthorizationState } from '../authorization.ts'
import type { ConsoleAction } from '../console-store.ts'
import type { NoticeState, ReceiverStatus } from '../outbox.ts'
import type { BindReason, EventReason, EventType, Language, TicketState } from '../store.ts'

export type Tables = {
  users: {
    id: Generated<number>
    tenant: string
    account: string
    user_id: string
    version: Generated<number>
    reason: UnbindReason | null
    /** Adds 1 when every ticket of the user is closed. A QR code requested before is then refused. */
    ticket_epoch: Generated<number>
    /** 1 from an erasure until the identity is replaced by its keyed hash. */
    erased: Generated<number>
    /** The last refused scan, the user's version since then, and its time. */
    notice: Notice | null
    notice_version: number | null
    notice_at: number | null
  }
  bindings: {
    user: number
    tenant: string
    app_id: string
    openid: string
    unionid: string | null
    /** When the unionid is requested from WeChat; null once WeChat has answered. */
    unionid_due: number | null
    subscribed: number
    bound_at: number
    event_time: number
    label: string | null
    lang: Language
    /** The user's version since this binding. */
    version: number
    account: string
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
    /** The fingerprint of the delivery that closed the ticket. */
    used_by: string | null
    confirm: Confirm | null
    openid: string | null
    event_time: number | null
    confirm_until: number | null
    digits: string | null
    tries_left: number | null
    reason: BindReason | null
  }
  /** The web authorizations of users who bind inside WeChat. */
  authorizations: {
    id: Generated<number>
    user: number
    app_id: string
    state: AuthorizationState['name']
    /** Keyed hashes of WeChat's `state` and of the proof that the page confirms. */
    state_hash: string
    return_url: string
    created_at: number
    until: number
    proof_hash: string | null
    openid: string | null
  }
  /** Append-only: a row for each change of a binding, without WeChat's ids. */
  events: {
    id: Generated<number>
    user: number
    version: number
    type: EventType
    reason: EventReason
    at: number
    /** Random; null in events of versions before 0004. */
    uid: string | null
    tenant: string
    /** The position of the event in the feed of its tenant; null until a reader of the feed has reached it. */
    position: Generated<number | null>
    /** 1 for an event that is deleted once its notices are accepted or given up. */
    erased: Generated<number>
  }
  /** The newest position of each tenant's feed, and the newest position whose event may have expired. */
  feed_heads: { tenant: string; position: number; lost: number }
  /** The reply to each delivery. In plain mode the table also keeps the digest of the body that came with each nonce. */
  deliveries: { key: string; text: string | null; until: number; user: Generated<number | null> }
  unfollow_tombstones: { openid_hash: string; event_time: number; until: number }
  /** The events that have not been moved to the queues of their receivers yet. */
  outbox: {
    event: number
    user: number
    tenant: string
    state: NoticeState
    next_at: number
    attempts: Generated<number>
  }
  /** The queues of the webhook receivers: a row for each event and receiver. */
  notices: {
    id: Generated<number>
    event: number
    user: number
    receiver: string
    state: NoticeState
    next_at: number
    attempts: Generated<number>
    /** The status of the last answer, or the code of the error. */
    status: number | null
    error: string | null
  }
  /** A row for each receiver that has ever failed. */
  webhook_receivers: {
    name: string
    status: ReceiverStatus
    failing_since: number | null
    failures: number
    paused_until: number | null
    last_status: number | null
    last_error: string | null
    last_at: number
  }
  leases: { name: string; holder: string; until: number }
  wrong_codes: { id: Generated<number>; openid_hash: string; at: number }
  jtis: { id: Generated<number>; jti: string; until: number }
  /** The number of attempts of a user or a tenant in the present window. */
  rate_windows: { scope: string; until: number; count: number }
  console_sessions: { hash: string; name: string; token_hash: string; until: number }
  /** Append-only: what operators did in the console. `user` is null in actions about no user and about an erased user. */
  console_actions: {
    id: Generated<number>
    at: number
    operator: string
    action: ConsoleAction
    user: number | null
    version: number | null
    subject: string | null
  }
  /** The counts of each hour and tenant. The last columns count the bindings by the time that they took. */
  figures: {
    id: Generated<number>
    hour: number
    tenant: string
    shown: number
    scanned: number
    confirmed: number
    bound: number
    unbound: number
    within_2: number
    within_5: number
    within_10: number
    within_15: number
    within_20: number
    within_30: number
    within_45: number
    within_60: number
    within_90: number
    within_120: number
    within_180: number
    within_300: number
    within_600: number
    within_more: number
  }
  wechat_errors: { id: Generated<number>; hour: number; errcode: number; count: number; last_at: number }
  /** The last report of each instance about itself. */
  instances: {
    name: string
    at: number
    waiting: number
    waiting_limit: number
    callback_at: number | null
    token_at: number | null
    token_until: number | null
  }
  console_reports: { name: string; at: number; operator: string; text: string }
}
