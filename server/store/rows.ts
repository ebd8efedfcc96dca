/** Rows to values and back: the one place where column names and flags are known. */
import type { Selectable } from 'kysely'
import type { Tables } from './schema.ts'
import type { HoldValues, UserRow } from './sql-queries.ts'
import type { Binding, Committed, Hold, Identity, Ticket, TicketState, User } from './store.ts'

type TicketRow = Selectable<Tables['tickets']>
type BindingRow = Selectable<Tables['bindings']>

export const unknownUser = (identity: Identity): User => ({
  id: 0,
  identity,
  version: 0,
  reason: null,
  binding: null,
  hold: null,
})

/** One user for all of its rows: the hold is the latest. Who was bound last comes first. */
export function toUsers(rows: UserRow[]): User[] {
  const users = new Map<number, User>()
  for (const row of rows) {
    const hold =
      row.held_until === null
        ? null
        : toHold({ ...row, openid: row.held_openid, reason: row.held_reason, event_time: row.held_event_time })
    const known = users.get(row.id)
    if (known && (known.hold?.until ?? 0) >= (hold?.until ?? 0)) continue
    users.set(row.id, {
      id: row.id,
      identity: { tenant: row.tenant, account: row.account, userId: row.user_id },
      version: row.version,
      reason: row.reason,
      binding: toBinding(row),
      hold,
    })
  }
  return [...users.values()].sort((a, b) => (b.binding?.boundAt ?? 0) - (a.binding?.boundAt ?? 0))
}

/** The columns of a binding are null together. */
function toBinding(row: UserRow): Binding | null {
  const { app_id: appId, openid, bound_at: boundAt, event_time: eventTime, lang } = row
  if (appId === null || openid === null || boundAt === null || eventTime === null || lang === null) return null
  const { unionid, label } = row
  return { appId, openid, unionid, subscribed: row.subscribed === 1, boundAt, eventTime, label, lang }
}

export function toBindingRow(user: number, { identity, version }: Committed, binding: Binding): BindingRow {
  return {
    user,
    tenant: identity.tenant,
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

/** The latest scan first. */
export const toHeldTickets = (rows: TicketRow[]): Ticket[] =>
  rows.sort((a, b) => (b.held_until ?? 0) - (a.held_until ?? 0)).map(toTicket)

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

type HoldRow = Pick<TicketRow, 'confirm' | 'openid' | 'event_time' | 'held_until' | 'digits' | 'tries_left' | 'reason'>

function toHold(row: HoldRow): Hold {
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

export const toHoldValues = (hold: Hold): HoldValues => ({
  confirm: hold.confirm,
  openid: hold.openid,
  event_time: hold.eventTime,
  held_until: hold.until,
  digits: hold.digits,
  tries_left: hold.triesLeft,
  reason: hold.reason,
})
