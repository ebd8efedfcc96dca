/** Rows to values and back: the one place where column names and flags are known. */
import type { Selectable } from 'kysely'
import type { Tables } from './schema.ts'
import type { Binding, Hold, Identity, Ticket, TicketState, User } from './store.ts'

type TicketRow = Selectable<Tables['tickets']>
type UserRow = Selectable<Tables['users']>
type BindingRow = Selectable<Tables['bindings']>

export const toIdentity = ({ tenant, account, user_id }: UserRow): Identity => ({ tenant, account, userId: user_id })

export const unknownUser = (identity: Identity): User => ({
  id: 0,
  identity,
  version: 0,
  reason: null,
  binding: null,
  hold: null,
})

export function toUser(row: UserRow, binding: BindingRow | undefined, held: TicketRow | undefined): User {
  return {
    id: row.id,
    identity: toIdentity(row),
    version: row.version,
    reason: row.reason,
    binding: binding ? toBinding(binding) : null,
    hold: held ? toHold(held) : null,
  }
}

function toBinding(row: BindingRow): Binding {
  return {
    appId: row.app_id,
    openid: row.openid,
    unionid: row.unionid,
    subscribed: row.subscribed === 1,
    boundAt: row.bound_at,
    eventTime: row.event_time,
    label: row.label,
    lang: row.lang,
  }
}

export function toBindingRow(user: number, tenant: string, binding: Binding, version: number): BindingRow {
  return {
    user,
    tenant,
    app_id: binding.appId,
    openid: binding.openid,
    unionid: binding.unionid,
    subscribed: binding.subscribed ? 1 : 0,
    bound_at: binding.boundAt,
    event_time: binding.eventTime,
    label: binding.label,
    lang: binding.lang,
    version,
  }
}

export function toTicket(row: TicketRow): Ticket {
  return {
    id: row.id,
    user: row.user,
    appId: row.app_id,
    scene: row.scene,
    code: row.code,
    wechatTicket: row.wechat_ticket,
    url: row.url,
    label: row.label,
    lang: row.lang,
    createdAt: row.created_at,
    expiresAt: row.expires_at,
    state: toTicketState(row),
  }
}

const toTicketState = (row: TicketRow): TicketState =>
  row.state === 'held' ? { name: 'held', hold: toHold(row) } : { name: row.state }

function toHold(row: TicketRow): Hold {
  return {
    confirm: row.confirm ?? 'reply',
    openid: row.openid ?? '',
    eventTime: row.event_time ?? 0,
    until: row.held_until ?? 0,
    digits: row.digits,
    triesLeft: row.tries_left ?? 0,
    reason: row.reason ?? 'scan',
  }
}

export const toHoldColumns = (hold: Hold) => ({
  state: 'held' as const,
  confirm: hold.confirm,
  openid: hold.openid,
  event_time: hold.eventTime,
  held_until: hold.until,
  digits: hold.digits,
  tries_left: hold.triesLeft,
  reason: hold.reason,
})

/** A ticket that is over keeps no openid and no digits. */
export const noHold = { openid: null, digits: null, confirm: null, event_time: null } as const
