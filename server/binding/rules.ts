/** The rules of binding, as pure functions. They take facts (rows that were read from the store) and return changes and a reply. */
import type {
  Binding,
  BindReason,
  Change,
  Claimable,
  Identity,
  Language,
  PendingConfirmation,
  Ticket,
  TicketState,
  User,
} from '../store/store.ts'
import type { Reply, ReplyName } from './replies.ts'
import { deadlineOf } from './ticket.ts'

export type Rules = {
  conflict: 'reject' | 'replace' | 'allow'
  confirm: 'off' | 'reply' | 'code'
  unsubscribe: 'unbind' | 'mark'
}

/** `reply` null: the chat gets no reply. `isOurs` false: the message is not about binding, and another system may answer it. */
export type Decision = { changes: Change[]; reply: Reply | null; isOurs?: false }

/** A scan, or a code sent in the chat, that claims a ticket. `delivery` is the fingerprint of the event's delivery. */
export type Claim = {
  via: 'SCAN' | 'subscribe' | 'text'
  appId: string
  openid: string
  createTime: number
  delivery: string
}

type ClaimFacts = {
  ticket: Ticket
  user: User
  /** Every user to whom the claimant is bound, in all tenants. */
  owners: User[]
  /** `CreateTime` of the claimant's last unfollow. Undefined after `TOMBSTONE_KEPT_MS`. */
  unfollowedAt: number | undefined
  /** Tickets that the claimant has scanned and not confirmed; empty if `confirm` is `off`. */
  unconfirmed: Ticket[]
  /** Four random digits for the chat, used with `confirm: 'code'`. */
  digits: string
}

// The time to confirm a scan; the page shows a countdown of it.
const CONFIRM_WITHIN_MS = 120_000

const TRIES = 3

/** How long the keyed hash of an erased openid is kept, so that an older event that arrives late cannot bind the openid again. */
const TOMBSTONE_KEPT_MS = 600_000

/** A ticket that waits for its confirmation. */
export type ScannedTicket = Ticket & { state: Extract<TicketState, { name: 'scanned' }> }

const isScanned = (ticket: Ticket): ticket is ScannedTicket => ticket.state.name === 'scanned'

const nothing: Decision = { changes: [], reply: null }
const notOurs: Decision = { ...nothing, isOurs: false }

export function decideClaim(claim: Claim, facts: ClaimFacts, rules: Rules, now: number): Decision {
  const { ticket, user, unfollowedAt } = facts
  const say = (name: ReplyName): Decision => ({ changes: [], reply: replyTo(ticket, name) })
  if (isSameDelivery(claim, ticket)) return say('bound')
  if (isOlder(claim, unfollowedAt) || isOlder(claim, user.binding?.eventTime)) return nothing
  if (ticket.state.name === 'scanned') return decideScannedAgain(claim, ticket, ticket.state.confirmation, now)
  if (ticket.state.name === 'used') return say(isBoundTo(user, claim) ? 'already_bound' : 'used')
  if (ticket.state.name !== 'pending' || now >= deadlineOf(ticket, claim.via)) return say('expired')
  if (isBoundTo(user, claim)) return decideAlreadyBound(claim, ticket, user)
  if (isTaken(facts.owners, user.identity, rules)) return say('conflict')
  if (replacedBy(user, facts.owners, rules).some(({ binding }) => isOlder(claim, binding?.eventTime))) return nothing
  return rules.confirm === 'off'
    ? bind(facts, toNewBinding(claim, ticket, now), reasonOf(claim), rules, now, claim.delivery)
    : awaitConfirmation(claim, facts, rules.confirm, now)
}

/** Whether this delivery has used the ticket before. It then gets the same reply and changes nothing. */
export const isSameDelivery = ({ delivery }: Claim, { state }: Ticket) =>
  state.name === 'used' && state.delivery === delivery

const isOlder = ({ createTime }: { createTime: number }, than = Number.NEGATIVE_INFINITY) => createTime < than

const isBoundTo = ({ binding }: User, { appId, openid }: Pick<Claim, 'appId' | 'openid'>) =>
  binding !== null && binding.openid === openid && binding.appId === appId

const isTaken = (owners: User[], identity: Identity, { conflict }: Rules) =>
  conflict === 'reject' && othersOf(owners, identity).length > 0

const othersOf = (owners: User[], { tenant, account, userId }: Identity) =>
  owners.filter(
    ({ identity: owner }) => owner.tenant === tenant && !(owner.account === account && owner.userId === userId),
  )

const reasonOf = ({ via }: Claim): BindReason => (via === 'text' ? 'text' : 'scan')

const replyTo = ({ lang, label }: Pick<Ticket, 'lang' | 'label'>, name: ReplyName): Reply => ({ name, lang, label })

const toNewBinding = (
  claim: Pick<Claim, 'appId' | 'openid' | 'createTime'>,
  { label, lang }: Ticket,
  now: number,
): Binding => ({
  appId: claim.appId,
  openid: claim.openid,
  unionid: null,
  subscribed: true,
  boundAt: now,
  eventTime: claim.createTime,
  label,
  lang,
})

/** A WeChat user who is already bound scans again: only closes the ticket and clears the mark of an older unfollow. */
function decideAlreadyBound(claim: Claim, ticket: Ticket, user: User): Decision {
  return {
    changes: [
      { type: 'close', ticket: ticket.id, user: user.id, as: 'used', bumpsVersion: false },
      { type: 'setSubscribed', user: user.id, subscribed: true, eventTime: claim.createTime },
    ],
    reply: replyTo(ticket, 'already_bound'),
  }
}

/** Decides about a second scan of a ticket. The same WeChat user gets the instructions again; another user gets `used`. */
function decideScannedAgain(
  claim: Claim,
  ticket: Ticket,
  { openid, until, confirm, digits }: PendingConfirmation,
  now: number,
): Decision {
  if (openid !== claim.openid) return { changes: [], reply: replyTo(ticket, 'used') }
  if (now >= until) return { changes: [], reply: replyTo(ticket, 'expired') }
  return { changes: [], reply: askToConfirm(ticket, confirm, digits) }
}

/** Asks to confirm the scan, and cancels earlier unconfirmed scans, because the chat asks about one scan at a time. */
function awaitConfirmation(
  claim: Claim,
  { ticket, unconfirmed, digits: fourDigits }: ClaimFacts,
  confirm: PendingConfirmation['confirm'],
  now: number,
) {
  const digits = confirm === 'code' ? fourDigits : null
  const confirmation: PendingConfirmation = {
    confirm,
    openid: claim.openid,
    eventTime: claim.createTime,
    until: now + CONFIRM_WITHIN_MS,
    digits,
    triesLeft: TRIES,
    reason: reasonOf(claim),
  }
  return {
    changes: [
      ...unconfirmed.map(cancelScan),
      { type: 'scan', ticket: ticket.id, user: ticket.user, confirmation } as const,
    ],
    reply: askToConfirm(ticket, confirm, digits),
  }
}

const cancelScan = ({ id, user }: Ticket): Change => ({
  type: 'close',
  ticket: id,
  user,
  as: 'used',
  bumpsVersion: true,
})

const askToConfirm = (ticket: Ticket, confirm: PendingConfirmation['confirm'], digits: string | null): Reply =>
  confirm === 'code'
    ? { ...replyTo(ticket, 'confirm_code'), ...(digits === null ? {} : { digits }) }
    : { ...replyTo(ticket, 'confirm_reply'), question: ticket.id }

/** Closes the ticket, unbinds the users that the binding replaces, then binds. The events are sent in this order. */
function bind(
  { ticket, user, owners }: { ticket: Ticket; user: User; owners: User[] },
  binding: Binding,
  reason: BindReason,
  rules: Rules,
  now: number,
  delivery?: string,
): Decision {
  const replaced = replacedBy(user, owners, rules)
  if (user.binding) replaced.push(user)
  return {
    changes: [
      {
        type: 'close',
        ticket: ticket.id,
        user: user.id,
        as: 'used',
        bumpsVersion: false,
        ...(delivery && { delivery }),
      },
      { type: 'closeTickets', user: user.id, ticket: ticket.id, bumpsVersion: false },
      ...replaced.map(({ id }): Change => ({ type: 'unbind', user: id, reason: 'replaced', at: now })),
      { type: 'bind', user: user.id, binding, reason, at: now, shownAt: ticket.createdAt },
    ],
    reply: replyTo(ticket, 'bound'),
  }
}

const replacedBy = ({ identity }: User, owners: User[], { conflict }: Rules) =>
  conflict === 'replace' ? othersOf(owners, identity) : []

type ConfirmationFacts = { ticket: Ticket; user: User; owners: User[] }

/** Decides after a confirmation in the chat, or on the page with the right digits. */
export function decideConfirm({ ticket, user, owners }: ConfirmationFacts, rules: Rules, now: number): Decision {
  if (ticket.state.name !== 'scanned') return nothing
  const { confirmation } = ticket.state
  if (now >= confirmation.until) return { changes: [], reply: replyTo(ticket, 'expired') }
  if (isTaken(owners, user.identity, rules)) {
    return {
      changes: [{ type: 'close', ticket: ticket.id, user: user.id, as: 'used', bumpsVersion: true }],
      reply: replyTo(ticket, 'conflict'),
    }
  }
  const scan = { appId: ticket.appId, openid: confirmation.openid, createTime: confirmation.eventTime }
  return bind({ ticket, user, owners }, toNewBinding(scan, ticket, now), confirmation.reason, rules, now)
}

/**
 * Returns the scan that the confirmation word in the chat confirms. A tapped link names its scan (`question`). A typed word names
 * no scan, so it confirms only while exactly one scan is unconfirmed.
 */
export function scanToConfirm(unconfirmed: Ticket[], question: number | undefined, now: number): Ticket | undefined {
  const asked = unconfirmed.filter(isScanned).filter(({ state }) => state.confirmation.confirm === 'reply')
  if (question !== undefined) return asked.find(({ id }) => id === question)
  const open = asked.filter((ticket) => isAwaited(ticket, now))
  return open.length > 1 ? undefined : (open[0] ?? asked[0])
}

const isAwaited = ({ state }: ScannedTicket, now: number) => now < state.confirmation.until

/**
 * Decides about the confirmation word in the chat. With `confirm: 'code'` the word has no effect, because it does not prove that
 * the sender is the person at the page.
 */
export function decideChatConfirm(createTime: number, facts: ConfirmationFacts, rules: Rules, now: number): Decision {
  const { ticket } = facts
  if (ticket.state.name !== 'scanned' || ticket.state.confirmation.confirm !== 'reply') return notOurs
  return isOlder({ createTime }, ticket.state.confirmation.eventTime) ? nothing : decideConfirm(facts, rules, now)
}

/** Decides about a tap on an outdated link. The reply shows no label, because the ticket may belong to another WeChat user. */
export function decideLateTap(
  tapper: Pick<Follower, 'appId' | 'openid'>,
  found: Claimable | undefined,
  lang: Language,
): Decision {
  const isConfirmed = found?.ticket.state.name === 'used' && isBoundTo(found.user, tapper)
  if (isConfirmed) return { changes: [], reply: replyTo(found.ticket, 'already_bound') }
  return { changes: [], reply: { name: 'expired', lang: found?.ticket.lang ?? lang, label: null } }
}

/** Returns the scans of a user that digits can confirm. Different WeChat users may have scanned different QR codes of this user. */
export const scansAwaitingDigits = (scanned: Ticket[], now: number) =>
  scanned.filter(isScanned).filter((ticket) => ticket.state.confirmation.confirm === 'code' && isAwaited(ticket, now))

/** Wrong digits cost one try. Without a try left the ticket is closed, which notifies the page. */
export function decideWrongDigits(ticket: Ticket, { triesLeft }: PendingConfirmation): Change[] {
  const left = triesLeft - 1
  return left > 0
    ? [{ type: 'wrongDigits', ticket: ticket.id, triesLeft: left }]
    : [{ type: 'close', ticket: ticket.id, user: ticket.user, as: 'dead', bumpsVersion: true }]
}

/** Closes a ticket whose time to confirm is over, so that the page returns to its state before the scan. */
export function decideConfirmationExpired(ticket: Ticket, now: number): Change[] {
  if (ticket.state.name !== 'scanned' || now < ticket.state.confirmation.until) return []
  return [{ type: 'close', ticket: ticket.id, user: ticket.user, as: 'used', bumpsVersion: true }]
}

type Follower = { appId: string; openid: string; createTime: number }

export type FollowerFacts = { owners: User[]; unconfirmed: Ticket[] }

/** Returns the unconfirmed scans that are not newer than an event. The event cancels only these. */
const unconfirmedUntil = (unconfirmed: Ticket[], createTime: number) =>
  unconfirmed.filter(isScanned).filter(({ state }) => createTime >= state.confirmation.eventTime)

/**
 * Decides about an unfollow. Ends or marks every binding of the openid that is not newer than the unfollow. With `erases` it
 * always ends the bindings, including a binding that a newer unfollow has marked, because a mark is not consent.
 */
export function decideUnsubscribe(
  { appId, openid, createTime, erases = false }: Follower & { erases?: boolean | undefined },
  { owners, unconfirmed }: FollowerFacts,
  rules: Rules,
  now: number,
): Decision {
  const affected = owners.filter(
    ({ binding }) => binding !== null && (createTime >= binding.eventTime || (erases && !binding.subscribed)),
  )
  const changes = affected.map(
    ({ id }): Change =>
      rules.unsubscribe === 'mark' && !erases
        ? { type: 'setSubscribed', user: id, subscribed: false, eventTime: createTime }
        : { type: 'unbind', user: id, reason: 'unsubscribe', at: now },
  )
  return {
    changes: [
      // These come first, because an unbinding closes every ticket of its user and a ticket can be closed only once.
      ...unconfirmedUntil(unconfirmed, createTime).map(cancelScan),
      ...changes,
      { type: 'recordUnfollow', appId, openid, eventTime: createTime, until: now + TOMBSTONE_KEPT_MS },
    ],
    reply: null,
  }
}

/** Decides about a follow: clears the mark of an older unfollow. An older unfollow that arrives later has no effect. */
export function decideFollowed(createTime: number, owners: User[]): Change[] {
  const older = owners.filter(({ binding }) => binding && createTime >= binding.eventTime)
  return older.map(({ id }) => ({ type: 'setSubscribed', user: id, subscribed: true, eventTime: createTime }))
}

/**
 * Decides about "解绑" in the chat: cancels the unconfirmed scans, or ends the latest binding if there are none. An older scan
 * that is delivered later does not bind again.
 */
export function decideUndo(
  { appId, openid, createTime }: Follower,
  { owners, unconfirmed }: FollowerFacts,
  lang: Language,
  now: number,
): Decision {
  const erase: Change = { type: 'recordUnfollow', appId, openid, eventTime: createTime, until: now + TOMBSTONE_KEPT_MS }
  const live = unconfirmedUntil(unconfirmed, createTime).filter((ticket) => isAwaited(ticket, now))
  if (live[0]) return { changes: [...live.map(cancelScan), erase], reply: replyTo(live[0], 'cancelled') }
  const latest = owners.find(({ binding }) => binding !== null && createTime >= binding.eventTime)
  if (!latest?.binding) return { ...notOurs, reply: { name: 'not_bound', lang, label: null } }
  return {
    changes: [{ type: 'unbind', user: latest.id, reason: 'chat', at: now }, erase],
    reply: replyTo(latest.binding, 'unbound'),
  }
}
