/** The rules of binding, as pure functions. They take facts (rows that were read from the store) and return changes and a reply. */
import type { Authorization, Change, Language, Ticket, User } from '../store/store.ts'
import type { Notice } from '../wire.ts'
import { awaitConfirmation, decideScannedAgain } from './confirmation-rules.ts'
import {
  bind,
  type Claim,
  cancelScan,
  type Decision,
  isAwaited,
  isBoundTo,
  isOlder,
  isScanned,
  isTaken,
  nothing,
  noticeTo,
  notOurs,
  type Rules,
  reasonOf,
  replacedBy,
  replyTo,
  toNewBinding,
} from './decision.ts'
import type { ReplyName } from './replies.ts'
import { deadlineOf } from './ticket.ts'

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

/**
 * How long the store keeps the keyed hash of an erased openid. During this time, an older event that arrives late cannot bind the
 * openid again.
 */
const TOMBSTONE_KEPT_MS = 600_000

export function decideClaim(claim: Claim, facts: ClaimFacts, rules: Rules, now: number): Decision {
  const { ticket, user, unfollowedAt } = facts
  const say = (name: ReplyName): Decision => ({ changes: [], reply: replyTo(ticket, name) })
  const refuse = (name: ReplyName, notice: Notice): Decision => ({
    changes: noticeTo(user, notice, now),
    reply: replyTo(ticket, name),
  })
  if (isSameDelivery(claim, ticket)) return say('bound')
  if (isOlder(claim, unfollowedAt) || isOlder(claim, user.binding?.eventTime)) return nothing
  if (ticket.state.name === 'scanned') return decideScannedAgain(claim, ticket, ticket.state.confirmation, now)
  if (ticket.state.name === 'used') {
    return isBoundTo(user, claim) ? say('already_bound') : refuse('used', 'expired_scan')
  }
  if (ticket.state.name !== 'pending' || now >= deadlineOf(ticket, claim.via)) return refuse('expired', 'expired_scan')
  if (isBoundTo(user, claim)) return decideAlreadyBound(claim, ticket, user, now)
  if (isTaken(facts.owners, user.identity, rules)) return refuse('conflict', 'conflict')
  if (replacedBy(user, facts.owners, rules).some(({ binding }) => isOlder(claim, binding?.eventTime))) return nothing
  return rules.confirm === 'off'
    ? bind(facts, toNewBinding(claim, ticket, now), reasonOf(claim), rules, now, claim.delivery)
    : awaitConfirmation(claim, facts, rules.confirm, now)
}

/** Whether the same delivery has already used the ticket. A repeated delivery gets the same reply and changes nothing. */
export const isSameDelivery = ({ delivery }: Claim, { state }: Ticket) =>
  state.name === 'used' && state.delivery === delivery

/**
 * A user scans a new QR code with the WeChat account that is already bound to this user. The binding stays as it is. The scan closes
 * the ticket and, if the WeChat account had unfollowed earlier, records that it follows again.
 */
function decideAlreadyBound(claim: Claim, ticket: Ticket, user: User, now: number): Decision {
  return {
    changes: [
      { type: 'close', ticket: ticket.id, user: user.id, as: 'used', bumpsVersion: false },
      { type: 'setSubscribed', user: user.id, subscribed: true, eventTime: claim.createTime, at: now },
    ],
    reply: replyTo(ticket, 'already_bound'),
  }
}

type Follower = { appId: string; openid: string; createTime: number }

/** `authorizations`: the openid's authorizations that wait for confirmation. */
export type FollowerFacts = { owners: User[]; unconfirmed: Ticket[]; authorizations: Authorization[] }

const closeAll = (authorizations: Authorization[]) =>
  authorizations.map(({ id }): Change => ({ type: 'closeAuthorization', authorization: id }))

/** Returns the unconfirmed scans that are not newer than an event. The event cancels only these scans. */
const unconfirmedUntil = (unconfirmed: Ticket[], createTime: number) =>
  unconfirmed.filter(isScanned).filter(({ state }) => createTime >= state.confirmation.eventTime)

/**
 * Decides about an unfollow. Ends or marks every binding of the openid that is not newer than the unfollow. With `erases` it
 * always ends the bindings, including a binding that a newer unfollow has marked, because a mark is not consent.
 */
export function decideUnsubscribe(
  { appId, openid, createTime, erases = false }: Follower & { erases?: boolean | undefined },
  { owners, unconfirmed, authorizations }: FollowerFacts,
  rules: Rules,
  now: number,
): Decision {
  const affected = owners.filter(
    ({ binding }) => binding !== null && (createTime >= binding.eventTime || (erases && !binding.subscribed)),
  )
  const changes = affected.map(
    ({ id }): Change =>
      rules.unsubscribe === 'mark' && !erases
        ? { type: 'setSubscribed', user: id, subscribed: false, eventTime: createTime, at: now }
        : { type: 'unbind', user: id, reason: 'unsubscribe', at: now },
  )
  return {
    changes: [
      // The scans are cancelled first, because an unbinding closes every ticket of its user and a ticket can be closed only once.
      ...unconfirmedUntil(unconfirmed, createTime).map(cancelScan),
      ...closeAll(authorizations),
      ...changes,
      { type: 'recordUnfollow', appId, openid, eventTime: createTime, until: now + TOMBSTONE_KEPT_MS },
    ],
    reply: null,
  }
}

/** Decides about a follow: clears the mark of an older unfollow. An older unfollow that arrives later has no effect. */
export function decideFollowed(createTime: number, owners: User[], now: number): Change[] {
  const older = owners.filter(({ binding }) => binding && createTime >= binding.eventTime)
  return older.map(({ id }) => ({ type: 'setSubscribed', user: id, subscribed: true, eventTime: createTime, at: now }))
}

/**
 * Decides about "解绑" in the chat: cancels the unconfirmed scans, or ends the latest binding if there are none. A scan that is
 * older than this message and arrives later does not bind again.
 */
export function decideUndo(
  { appId, openid, createTime }: Follower,
  { owners, unconfirmed, authorizations }: FollowerFacts,
  lang: Language,
  now: number,
): Decision {
  const erase: Change = { type: 'recordUnfollow', appId, openid, eventTime: createTime, until: now + TOMBSTONE_KEPT_MS }
  const live = unconfirmedUntil(unconfirmed, createTime).filter((ticket) => isAwaited(ticket, now))
  const closing = closeAll(authorizations)
  if (live[0]) return { changes: [...live.map(cancelScan), ...closing, erase], reply: replyTo(live[0], 'cancelled') }
  const latest = owners.find(({ binding }) => binding !== null && createTime >= binding.eventTime)
  if (!latest?.binding) return { ...notOurs, changes: closing, reply: { name: 'not_bound', lang, label: null } }
  return {
    changes: [...closing, { type: 'unbind', user: latest.id, reason: 'chat', at: now }, erase],
    reply: replyTo({ ...latest.binding, user: latest.id }, 'unbound'),
  }
}
