/** The model of a scan, or of a code sent in the chat. */

import { bump, endHold, notify, setSubscribed, setTicket } from './changes.ts'
import type { Message } from './chat.ts'
import { bindTicket, othersOf } from './confirm.ts'
import {
  type HeldTicket,
  type Hold,
  holds,
  type Reply,
  type State,
  type Ticket,
  type UserKey,
  userOf,
} from './state.ts'

const SECOND = 1000
const CONFIRM_WITHIN = 120 * SECOND
const FOLLOW_GRACE = 300 * SECOND
const HOUR = 3600 * SECOND
const CODES_AN_HOUR = 5

export type Handled = {
  reply: Reply
  /** The message is not about binding: the system at `FORWARD_URL` gets it and may reply. */
  isOurs?: false
  /** The user whose label is in the reply. */
  user?: UserKey
  /** The ticket that this message has used. The ticket records the key of the delivery. */
  uses?: Ticket
}

export const nothing: Handled = { reply: null }
export const notOurs: Handled = { reply: null, isOurs: false }
export const plain = (name: string): Handled => ({ reply: { name, label: null } })
export const say = (ticket: Ticket, name: string): Handled => ({
  reply: { name, label: ticket.label },
  user: ticket.user,
})

type Claim = Extract<Message, { kind: 'scan' | 'subscribe' | 'code' }>

const reasonOf = ({ kind }: Claim) => (kind === 'code' ? 'text' : 'scan')

export function claimByCode(m: State, message: Claim, ticket: Ticket | undefined): Handled {
  const wrong = (m.wrongCodes.get(message.openid) ?? []).filter((at) => at > m.now - HOUR)
  if (wrong.length >= CODES_AN_HOUR) return plain('too_many_codes')
  if (ticket) return claim(m, message, ticket)
  m.wrongCodes.set(message.openid, [...wrong, m.now])
  return plain('wrong_code')
}

export function claim(m: State, message: Claim, ticket: Ticket | undefined, follow = () => {}): Handled {
  const { openid, time } = message
  const verdict = judge(m, message, ticket)
  follow()
  if (!ticket) return plain('expired')
  switch (verdict) {
    case 'older':
      return nothing
    case 'hold':
      return say(ticket, `confirm_${ticket.hold?.kind}`)
    case 'hold_over':
      return say(ticket, 'expired')
    case 'held_by_other':
      return say(ticket, 'used')
    case 'expired':
    case 'used':
      refused(m, ticket.user, 'expired_scan')
      return say(ticket, verdict)
    case 'used_by_self':
      return say(ticket, 'already_bound')
    case 'already_bound':
      setTicket(m, ticket, { state: 'used' })
      setSubscribed(m, ticket.user, true, time)
      return say(ticket, 'already_bound')
    case 'conflict':
      refused(m, ticket.user, 'conflict')
      return say(ticket, 'conflict')
    case 'bind':
      bindTicket(m, ticket, openid, time, reasonOf(message))
      return { ...say(ticket, 'bound'), uses: ticket }
    case 'ask':
      return ask(m, ticket, message)
  }
}

type Verdict =
  | 'older'
  | 'hold'
  | 'hold_over'
  | 'held_by_other'
  | 'expired'
  | 'used'
  | 'used_by_self'
  | 'already_bound'
  | 'conflict'
  | 'bind'
  | 'ask'

function judge(m: State, message: Claim, ticket: Ticket | undefined): Verdict {
  if (!ticket) return 'expired'
  const { openid, time, kind } = message
  const { bound } = userOf(m, ticket.user)
  if (time < unfollowTime(m, openid) || (bound && time < bound.time)) return 'older'
  if (ticket.state === 'scanned' && ticket.hold) {
    if (ticket.hold.openid !== openid) return 'held_by_other'
    return m.now < ticket.hold.until ? 'hold' : 'hold_over'
  }
  const isOwn = bound?.openid === openid
  if (ticket.state === 'used') return isOwn ? 'used_by_self' : 'used'
  const deadline = ticket.expiresAt + (kind === 'subscribe' ? FOLLOW_GRACE : 0)
  if (ticket.state !== 'pending' || m.now >= deadline) return 'expired'
  if (isOwn) return 'already_bound'
  const others = othersOf(m, ticket.user, openid)
  if (m.settings.conflict === 'reject' && others.length > 0) return 'conflict'
  if (m.settings.conflict === 'replace' && others.some((other) => time < (other.bound?.time ?? 0))) return 'older'
  return m.settings.confirm === 'off' ? 'bind' : 'ask'
}

export const unfollowTime = (m: State, openid: string) => m.unfollows.get(openid)?.time ?? 0

/** Notifies the pages of an unbound user of a refused scan. There is at most one notice in ten seconds. */
export function refused(m: State, key: UserKey, name: string): void {
  const { bound, notice } = userOf(m, key)
  if (bound || (notice && m.now < notice.at + 10 * SECOND)) return
  notify(m, key, name)
}

/** Lets the scan wait for a confirmation. Earlier scans of the same WeChat are cancelled. */
function ask(m: State, ticket: Ticket, message: Claim): Handled {
  for (const held of holdsBy(m, message.openid)) endHold(m, held)
  const kind = m.settings.confirm as Hold['kind']
  const hold: Hold = {
    openid: message.openid,
    time: message.time,
    until: m.now + CONFIRM_WITHIN,
    kind,
    digits: null,
    tries: 3,
    reason: reasonOf(message),
  }
  setTicket(m, ticket, { state: 'scanned', hold })
  bump(m, ticket.user)
  return say(ticket, `confirm_${kind}`)
}

export const holdsBy = (m: State, openid: string): HeldTicket[] =>
  holds(m.tickets.values()).filter(({ hold }) => hold.openid === openid)
