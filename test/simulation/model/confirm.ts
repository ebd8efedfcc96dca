/** The model of a scan that waits for its confirmation. */
import { bindUser, closeOpen, endHold, notify, setTicket, unbindUser } from './changes.ts'
import { type HeldTicket, holds, ownersOf, type State, type Ticket, tenantOf, type UserKey, userOf } from './state.ts'

/** Other users of the tenant with this WeChat. */
export const othersOf = (m: State, key: UserKey, openid: string) =>
  ownersOf(m, openid).filter((owner) => owner.key !== key && tenantOf(owner.key) === tenantOf(key))

/** The first scan wins: the user's other tickets are closed, and users whose binding it replaces are unbound. */
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

/** Binds. Returns false if another user is bound to this WeChat by now. */
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

/** Closes the expired scans of a user, on a request of a page or in the server's regular sweep. */
export function expireHolds(m: State, key: UserKey): void {
  const held = holds([...m.tickets.values()].filter(({ user }) => user === key))
  const [latest] = held
  if (!latest || m.now < latest.hold.until) return
  for (const each of held) if (m.now >= each.hold.until) endHold(m, each)
}
