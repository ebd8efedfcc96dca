/**
 * The model of the messages from WeChat: how each message changes users and tickets, and what the reply in the chat is.
 */
import {
  bindUser,
  bump,
  closeOpen,
  endHold,
  type HeldTicket,
  type Hold,
  holds,
  notify,
  ownersOf,
  type Reply,
  type State,
  setSubscribed,
  setTicket,
  type Ticket,
  tenantOf,
  type UserKey,
  unbindUser,
  userOf,
} from './state.ts'

export type Message = { key: string; openid: string; time: number } & (
  | { kind: 'scan' | 'subscribe'; scene: string }
  /** A follow without a scene of this server. `isLost` means that the message has no scene at all. */
  | { kind: 'follow'; isLost: boolean }
  | { kind: 'unfollow'; erases: boolean }
  | { kind: 'code'; code: string }
  | { kind: 'undo' }
  /** `question` is the ticket in the link that the user has tapped. */
  | { kind: 'confirm'; question: number | undefined }
)

const SECOND = 1000
const REPLY_KEPT = 600 * SECOND
const UNFOLLOW_KEPT = 600 * SECOND
const CONFIRM_WITHIN = 120 * SECOND
const FOLLOW_GRACE = 300 * SECOND
const HOUR = 3600 * SECOND
const CODES_AN_HOUR = 5

type Handled = {
  reply: Reply
  /** The user whose label is in the reply. */
  user?: UserKey
  /** The ticket that this message has used. The ticket records the key of the delivery. */
  uses?: Ticket
}

const nothing: Handled = { reply: null }
const plain = (name: string): Handled => ({ reply: { name, label: null } })
const say = (ticket: Ticket, name: string): Handled => ({ reply: { name, label: ticket.label }, user: ticket.user })

/** WeChat delivers a message. This may be the first delivery or a repetition. */
export function* deliver(m: State, message: Message): Generator<void, { reply: Reply }> {
  yield
  if (message.kind === 'confirm' && m.settings.confirm !== 'reply') return { reply: null }
  if (message.kind === 'follow' && !message.isLost && m.settings.unsubscribe !== 'mark') return { reply: null }
  const ticket = claimed(m, message)
  const seen = m.deliveries.get(message.key)
  if (seen) return { reply: seen.reply }
  const isRepeated = ticket?.usedBy === message.key
  const { reply, user, uses } = isRepeated ? say(ticket, 'bound') : handle(m, message, ticket)
  if (uses) setTicket(m, uses, { usedBy: message.key })
  else {
    m.deliveries.set(message.key, {
      reply,
      until: m.now + REPLY_KEPT,
      user: reply?.label == null ? null : (user ?? null),
    })
  }
  return { reply }
}

function claimed(m: State, message: Message): Ticket | undefined {
  if (message.kind === 'scan' || message.kind === 'subscribe') return m.tickets.get(message.scene)
  if (message.kind === 'code') return [...m.tickets.values()].find(({ code }) => code === message.code)
  return undefined
}

function handle(m: State, message: Message, ticket: Ticket | undefined): Handled {
  switch (message.kind) {
    case 'subscribe':
      // The result of the scan depends on the state before the follow.
      return claim(m, message, ticket, () => followed(m, message))
    case 'scan':
      return claim(m, message, ticket)
    case 'code':
      return claimByCode(m, message, ticket)
    case 'follow':
      followed(m, message)
      return message.isLost && isAnyPending(m) ? plain('scan_again') : nothing
    case 'unfollow':
      return unfollowed(m, message)
    case 'undo':
      return undo(m, message)
    case 'confirm':
      return confirm(m, message)
  }
}

type Claim = Extract<Message, { kind: 'scan' | 'subscribe' | 'code' }>

const reasonOf = ({ kind }: Claim) => (kind === 'code' ? 'text' : 'scan')

function claimByCode(m: State, message: Claim, ticket: Ticket | undefined): Handled {
  const wrong = (m.wrongCodes.get(message.openid) ?? []).filter((at) => at > m.now - HOUR)
  if (wrong.length >= CODES_AN_HOUR) return plain('too_many_codes')
  if (ticket) return claim(m, message, ticket)
  m.wrongCodes.set(message.openid, [...wrong, m.now])
  return plain('wrong_code')
}

function claim(m: State, message: Claim, ticket: Ticket | undefined, follow = () => {}): Handled {
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

/** Returns the other users of the tenant who are bound to this WeChat. */
const othersOf = (m: State, key: UserKey, openid: string) =>
  ownersOf(m, openid).filter((owner) => owner.key !== key && tenantOf(owner.key) === tenantOf(key))

const unfollowTime = (m: State, openid: string) => m.unfollows.get(openid)?.time ?? 0

/** Only the newest unfollow of an openid counts. The server keeps it for at least ten minutes. */
function rememberUnfollow(m: State, { openid, time }: Message): void {
  const kept = m.unfollows.get(openid)
  if (kept && kept.time >= time) return
  m.unfollows.set(openid, { time, until: m.now + UNFOLLOW_KEPT })
}

/** Notifies the pages of an unbound user of a refused scan. There is at most one notice in ten seconds. */
function refused(m: State, key: UserKey, name: string): void {
  const { bound, notice } = userOf(m, key)
  if (bound || (notice && m.now < notice.at + 10 * SECOND)) return
  notify(m, key, name)
}

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

const holdsBy = (m: State, openid: string): HeldTicket[] =>
  holds(m.tickets.values()).filter(({ hold }) => hold.openid === openid)

function followed(m: State, { openid, time }: Message): void {
  for (const { key, bound } of ownersOf(m, openid)) if (bound && time >= bound.time) setSubscribed(m, key, true, time)
}

const isAnyPending = (m: State) =>
  [...m.tickets.values()].some(({ state, expiresAt }) => state === 'pending' && expiresAt > m.now - 600 * SECOND)

function unfollowed(m: State, message: Extract<Message, { kind: 'unfollow' }>): Handled {
  const { openid, time, erases } = message
  const affected = ownersOf(m, openid).filter(
    ({ bound }) => bound && (time >= bound.time || (erases && !bound.subscribed)),
  )
  for (const held of holdsBy(m, openid)) if (time >= held.hold.time) endHold(m, held)
  for (const { key } of affected) {
    if (m.settings.unsubscribe === 'mark' && !erases) setSubscribed(m, key, false, time)
    else unbindUser(m, key, 'unsubscribe')
  }
  rememberUnfollow(m, message)
  return nothing
}

function undo(m: State, message: Message): Handled {
  const { openid, time } = message
  const live = holdsBy(m, openid).filter(({ hold }) => time >= hold.time && m.now < hold.until)
  const [latest] = live
  if (latest) {
    for (const held of live) endHold(m, held)
    rememberUnfollow(m, message)
    return say(latest, 'cancelled')
  }
  const owner = ownersOf(m, openid).find(({ bound }) => bound && time >= bound.time)
  if (!owner?.bound) return plain('not_bound')
  unbindUser(m, owner.key, 'chat')
  rememberUnfollow(m, message)
  return { reply: { name: 'unbound', label: owner.bound.label }, user: owner.key }
}

/** The user confirms: types the word "confirm", or taps the link. */
function confirm(m: State, message: Extract<Message, { kind: 'confirm' }>): Handled {
  const { openid, time, question } = message
  const held = askedOf(m, openid, question)
  if (!held) return question === undefined ? nothing : lateTap(m, openid, question)
  if (time < held.hold.time) return nothing
  if (m.now >= held.hold.until) return say(held, 'expired')
  return confirmHold(m, held) ? say(held, 'bound') : say(held, 'conflict')
}

function askedOf(m: State, openid: string, question: number | undefined): HeldTicket | undefined {
  const asked = holdsBy(m, openid).filter(({ hold }) => hold.kind === 'reply')
  if (question !== undefined) return asked.find(({ id }) => id === question)
  const open = asked.filter(({ hold }) => m.now < hold.until)
  return open.length > 1 ? undefined : (open[0] ?? asked[0])
}

function lateTap(m: State, openid: string, question: number): Handled {
  const ticket = [...m.tickets.values()].find(({ id }) => id === question)
  const isConfirmed = ticket?.state === 'used' && userOf(m, ticket.user).bound?.openid === openid
  return ticket && isConfirmed ? say(ticket, 'already_bound') : plain('expired')
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
