/** Converts rows to the values of `store.ts` and back. */
import type { Selectable } from 'kysely'
import type { Authorization, AuthorizationState } from '../authorization.ts'
import type {
  Binding,
  Claimable,
  Committed,
  Identity,
  PendingConfirmation,
  RefusedScan,
  Ticket,
  TicketState,
  TicketWithQr,
  User,
} from '../store.ts'
import type { Tables } from './tables.ts'
import type { ClaimableRow, ConfirmationValues } from './ticket-queries.ts'
import type { UserRow } from './user-queries.ts'

type TicketRow = Selectable<Tables['tickets']>
type BindingRow = Selectable<Tables['bindings']>

/** `version` is 0 unless a user with these ids was erased. */
export const unknownUser = (identity: Identity, version = 0): User => ({
  id: 0,
  identity,
  version,
  reason: null,
  binding: null,
  confirmation: null,
  refusedScan: null,
})

/** Sorts in descending order. Equal times are ordered by id, so that both engines return the same row first. */
const descending = (a: number | null, b: number | null) => (b ?? 0) - (a ?? 0)

/** Merges the rows of each user into one user, whose confirmation is the latest scan. The latest binding comes first. */
export function toUsers(rows: UserRow[]): User[] {
  const users = new Map<number, User>()
  const sorted = rows.sort(
    (a, b) => descending(a.confirm_until, b.confirm_until) || descending(a.scanned_id, b.scanned_id),
  )
  for (const row of sorted) {
    if (users.has(row.id)) continue
    users.set(row.id, {
      id: row.id,
      identity: { tenant: row.tenant, account: row.account, userId: row.user_id },
      version: row.version,
      reason: row.reason,
      binding: toBinding(row),
      confirmation: confirmationOf(row),
      refusedScan: toRefusedScan(row),
    })
  }
  const boundAt = ({ binding }: User) => binding?.boundAt ?? null
  return [...users.values()].sort((a, b) => descending(boundAt(a), boundAt(b)) || descending(a.id, b.id))
}

function toRefusedScan({ notice, notice_version: version, notice_at: at }: UserRow): RefusedScan | null {
  return notice === null || version === null || at === null ? null : { notice, version, at }
}

const confirmationOf = (row: UserRow): PendingConfirmation | null =>
  row.scanned_id === null
    ? null
    : toConfirmation({
        ...row,
        openid: row.scanned_openid,
        reason: row.scanned_reason,
        event_time: row.scanned_event_time,
      })

type NullableBindingRow = Pick<
  UserRow,
  'app_id' | 'openid' | 'unionid' | 'subscribed' | 'bound_at' | 'event_time' | 'label' | 'lang'
>

/** Without a binding, the outer join sets all of its columns to null. */
export function toBinding(row: NullableBindingRow): Binding | null {
  const { app_id: appId, openid, bound_at: boundAt, event_time: eventTime, lang } = row
  if (appId === null || openid === null || boundAt === null || eventTime === null || lang === null) return null
  const { unionid, label } = row
  return { appId, openid, unionid, subscribed: row.subscribed === 1, boundAt, eventTime, label, lang }
}

export function toBindingRow(user: number, { identity, version }: Committed, binding: Binding): BindingRow {
  return {
    user,
    tenant: identity.tenant,
    account: identity.account,
    app_id: binding.appId,
    openid: binding.openid,
    unionid: binding.unionid,
    unionid_due: binding.unionid === null ? binding.boundAt : null,
    subscribed: binding.subscribed ? 1 : 0,
    bound_at: binding.boundAt,
    event_time: binding.eventTime,
    label: binding.label,
    lang: binding.lang,
    version,
  }
}

/** Converts the rows to tickets, the latest scan first. */
export const toScannedTickets = (rows: TicketRow[]): Ticket[] =>
  rows.sort((a, b) => descending(a.confirm_until, b.confirm_until) || descending(a.id, b.id)).map(toTicket)

const toTicket = (row: TicketRow): Ticket => ({
  id: row.id,
  user: row.user,
  appId: row.app_id,
  label: row.label,
  lang: row.lang,
  createdAt: row.created_at,
  expiresAt: row.expires_at,
  state: toTicketState(row.state, row.used_by, toConfirmation(row)),
})

export const toTicketWithQr = (row: TicketRow): TicketWithQr => ({
  ...toTicket(row),
  scene: row.scene,
  code: row.code,
  wechatTicket: row.wechat_ticket,
  url: row.url,
})

/** All rows are of one ticket; there is a row for each scanned ticket of its user. */
export function toClaimable(rows: ClaimableRow[]): Claimable | undefined {
  const [row] = rows
  const [user] = toUsers(rows)
  if (!row || !user) return undefined
  const own = rows.find(({ scanned_id, ticket_id }) => scanned_id === ticket_id)
  const ticket: Ticket = {
    id: row.ticket_id,
    user: row.id,
    appId: row.ticket_app_id,
    label: row.ticket_label,
    lang: row.ticket_lang,
    createdAt: row.created_at,
    expiresAt: row.expires_at,
    state: toTicketState(row.state, row.used_by, own ? confirmationOf(own) : null),
  }
  return { ticket, user }
}

function toTicketState(
  name: TicketState['name'],
  delivery: string | null,
  confirmation: PendingConfirmation | null,
): TicketState {
  if (name === 'scanned') return confirmation ? { name, confirmation } : { name: 'dead' }
  return name === 'used' ? { name, delivery } : { name }
}

export type AuthorizationRow = Selectable<Tables['authorizations']>

export const toAuthorization = (row: AuthorizationRow): Authorization => ({
  id: row.id,
  user: row.user,
  appId: row.app_id,
  returnUrl: row.return_url,
  createdAt: row.created_at,
  until: row.until,
  state: toAuthorizationState(row),
})

function toAuthorizationState({ state: name, openid }: AuthorizationRow): AuthorizationState {
  if (name !== 'proven') return { name }
  return openid === null ? { name: 'closed' } : { name, openid }
}

type ConfirmationRow = Pick<
  TicketRow,
  'confirm' | 'openid' | 'event_time' | 'confirm_until' | 'digits' | 'tries_left' | 'reason'
>

function toConfirmation(row: ConfirmationRow): PendingConfirmation {
  return {
    confirm: row.confirm ?? 'reply',
    openid: row.openid ?? '',
    eventTime: row.event_time ?? 0,
    until: row.confirm_until ?? 0,
    digits: row.digits,
    triesLeft: row.tries_left ?? 0,
    reason: row.reason ?? 'scan',
  }
}

export const toConfirmationValues = (confirmation: PendingConfirmation): ConfirmationValues => ({
  confirm: confirmation.confirm,
  openid: confirmation.openid,
  event_time: confirmation.eventTime,
  confirm_until: confirmation.until,
  digits: confirmation.digits,
  tries_left: confirmation.triesLeft,
  reason: confirmation.reason,
})
