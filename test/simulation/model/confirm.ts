/** The model of a scan that waits for its confirmation. */
import { bindUser, closeOpen, endHold, notify, setTicket, unbindUser } from './changes.ts'
import { type HeldTicket, holds, ownersOf, type State, type Ticket, tenantOf, type UserKey, userOf } from './state.ts'

/** Returns the other users of the tenant who are bound to this WeChat. */
export const othersOf = (m: State, key: UserKey, openid: string) =>
  ownersOf(m, openid).filter((owner) => owner.key !== key && tenantOf(owner.key) === tenantOf(key))

/**
 * Binds after a scan. The user's other tickets are closed. With CONFLICT=replace, users who were bound to this WeChat
 * are unbound.
 */
export function bindTicket(m: State, ticket: Ticket, openid: string, time: number, reason: string): void {
  const { user } = ticket
  setTicket(m, ticket, { state: 'used', hold: null })
  closeOpen(m, user, ticket)
  const others = m.settings.conflict === 'replace' ? othersOf(m, user, openid) : []
  for (const other of others) unbindUser(m, other.key, 'replaced')
  if (userOf(m, user).bound) unbindUser(m, user, 'replaced')
  const bound = { openid, unionid: null, subscribed: true, boundAt: m.now, time, label: ticket.label }
  bindUser(m, user, bound, reason)
}

/** Binds. Returns false if another user has been bound to this WeChat in the meantime. */
export function confirmHold(m: State, held: HeldTicket): boolean {
  const { openid, time, reason } = held.hold
  if (m.settings.conflict === 'reject' && othersOf(m, held.user, openid).length > 0) {
    setTicket(m, held, { state: 'used', hold: null })
    notify(m, held.user, 'conflict')
    return false
  }
  bindTicket(m, held, openid, time, reason)
  return true
}

/** Closes the expired scans of a user. The server does this on a request of a page, and in its regular sweep. */
export function expireHolds(m: State, key: UserKey): void {
  const held = holds([...m.tickets.values()].filter(({ user }) => user === key))
  const [latest] = held
  if (!latest || m.now < latest.hold.until) return
  for (const each of held) if (m.now >= each.hold.until) endHold(m, each)
}
