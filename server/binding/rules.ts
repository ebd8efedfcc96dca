/** The rules of binding, pure: facts in, changes and a reply out. */
import type {
  Binding,
  BindReason,
  Change,
  Identity,
  Language,
  PendingConfirmation,
  Ticket,
  User,
} from '../store/store.ts'
import type { Reply, ReplyName } from './replies.ts'
import { deadlineOf } from './ticket.ts'

export type Rules = {
  conflict: 'reject' | 'replace' | 'allow'
  confirm: 'off' | 'reply' | 'code'
  unsubscribe: 'unbind' | 'mark'
}

/** `reply` null: nothing is said in the chat. `isOurs` false: it did not concern us, and another system may answer it. */
export type Decision = { changes: Change[]; reply: Reply | null; isOurs?: false }

/** A scan, or the text path's code, as a claim on a ticket. `by`: the fingerprint of its delivery. */
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
  /** Every user to whom the claimant is bound, of every tenant. */
  owners: User[]
  /** `CreateTime` of the claimant's last unfollow, while it is remembered. */
  unfollowedAt: number | undefined
  /** What the claimant has scanned and not confirmed; not looked for where `confirm` is `off`. */
  unconfirmed: Ticket[]
  /** Four digits to show in the chat, should they be needed. */
  digits: string
}

// The time a person has to confirm; the page counts it down too.
const CONFIRM_WITHIN_MS = 120_000

const TRIES = 3

/** How long a keyed hash of an erased openid is kept, so that a late delivery cannot undo the unfollow. */
const TOMBSTONE_KEPT_MS = 600_000

const nothing: Decision = { changes: [], reply: null }
const notOurs: Decision = { ...nothing, isOurs: false }

export function decideClaim(claim: Claim, facts: ClaimFacts, rules: Rules, now: number): Decision {
  const { ticket, user, unfollowedAt } = facts
  const say = (name: ReplyName): Decision => ({ changes: [], reply: replyTo(ticket, name) })
  if (isRepetition(claim, ticket)) return say('bound')
  if (isOlder(claim, unfollowedAt) || isOlder(claim, user.binding?.eventTime)) return nothing
  if (ticket.state.name === 'scanned') return decideScannedAgain(claim, ticket, ticket.state.confirmation, now)
  if (ticket.state.name === 'used') return say(isBoundTo(user, claim) ? 'already_bound' : 'used')
  if (ticket.state.name !== 'pending' || now >= deadlineOf(ticket, claim.via)) return say('expired')
  if (isBoundTo(user, claim)) return decideAlreadyBound(claim, ticket, user)
  if (isTaken(facts.owners, user.identity, rules)) return say('conflict')
  if (givingWayTo(user, facts.owners, rules).some(({ binding }) => isOlder(claim, binding?.eventTime))) return nothing
  return rules.confirm === 'off'
    ? bind(facts, toNewBinding(claim, ticket, now), reasonOf(claim), rules, now, claim.delivery)
    : awaitConfirmation(claim, facts, rules.confirm, now)
}

/** Whether this very delivery has bound the ticket: it is told so again, and whatever came since stands. */
export const isRepetition = ({ delivery }: Claim, { state }: Ticket) =>
  state.name === 'used' && state.delivery === delivery

const isOlder = ({ createTime }: { createTime: number }, than: number | undefined) =>
  than !== undefined && createTime < than

const isBoundTo = ({ binding }: User, { appId, openid }: Claim) =>
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

/** The WeChat that is bound already scans again: nothing to change but the ticket, and the mark of an old unfollow. */
function decideAlreadyBound(claim: Claim, ticket: Ticket, user: User): Decision {
  return {
    changes: [
      { type: 'close', ticket: ticket.id, user: user.id, as: 'used', bumpsVersion: false },
      { type: 'setSubscribed', user: user.id, subscribed: true, eventTime: claim.createTime },
    ],
    reply: replyTo(ticket, 'already_bound'),
  }
}

/** A second scan of a held ticket: its own scanner is shown the way again, anyone else is late. */
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

/** The latest scan is the one that the chat asks about: what its scanner has left unanswered before is called off. */
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

const askToConfirm = (ticket: Ticket, confirm: PendingConfirmation['confirm'], digits: string | null): Reply => ({
  ...replyTo(ticket, confirm === 'code' ? 'confirm_code' : 'confirm_reply'),
  ...(digits === null ? {} : { digits }),
})

/** The ticket is used up, whoever must give way gives way, and the binding stands: in this order, for the events' sake. */
function bind(
  { ticket, user, owners }: { ticket: Ticket; user: User; owners: User[] },
  binding: Binding,
  reason: BindReason,
  rules: Rules,
  now: number,
  delivery?: string,
): Decision {
  const givingWay = givingWayTo(user, owners, rules)
  if (user.binding) givingWay.push(user)
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
      { type: 'closeOthers', user: user.id, ticket: ticket.id },
      ...givingWay.map(({ id }): Change => ({ type: 'unbind', user: id, reason: 'replaced', at: now })),
      { type: 'bind', user: user.id, binding, reason, at: now, shownAt: ticket.createdAt },
    ],
    reply: replyTo(ticket, 'bound'),
  }
}

const givingWayTo = ({ identity }: User, owners: User[], { conflict }: Rules) =>
  conflict === 'replace' ? othersOf(owners, identity) : []

type ConfirmationFacts = { ticket: Ticket | undefined; user: User; owners: User[] }

/** The scanner confirmed, in the chat or (once the digits are right) on the page. */
export function decideConfirm({ ticket, user, owners }: ConfirmationFacts, rules: Rules, now: number): Decision {
  if (ticket?.state.name !== 'scanned') return nothing
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

/** The word in the chat. Under `code` it proves nothing about who sits before the page, and so does nothing. */
export function decideChatConfirm(createTime: number, facts: ConfirmationFacts, rules: Rules, now: number): Decision {
  const { ticket } = facts
  if (ticket?.state.name !== 'scanned' || ticket.state.confirmation.confirm !== 'reply') return notOurs
  return isOlder({ createTime }, ticket.state.confirmation.eventTime) ? nothing : decideConfirm(facts, rules, now)
}

/** Wrong digits: one try less, and after the last the ticket is dead and the page hears of it. */
export function decideWrongDigits(ticket: Ticket, { triesLeft }: PendingConfirmation): Change[] {
  const left = triesLeft - 1
  return left > 0
    ? [{ type: 'wrongDigits', ticket: ticket.id, triesLeft: left }]
    : [{ type: 'close', ticket: ticket.id, user: ticket.user, as: 'dead', bumpsVersion: true }]
}

/** A hold that ran out: the page goes back to what it was before the scan. */
export function decideConfirmationExpired(ticket: Ticket, now: number): Change[] {
  if (ticket.state.name !== 'scanned' || now < ticket.state.confirmation.until) return []
  return [{ type: 'close', ticket: ticket.id, user: ticket.user, as: 'used', bumpsVersion: true }]
}

type Follower = { appId: string; openid: string; createTime: number }

export type FollowerFacts = { owners: User[]; unconfirmed: Ticket[] }

/** The unconfirmed that a fact of this time may end. */
const unconfirmedUntil = (unconfirmed: Ticket[], createTime: number) =>
  unconfirmed.filter(({ state }) => state.name === 'scanned' && createTime >= state.confirmation.eventTime)

/** The account was unfollowed: every binding of the openid that is not newer ends, or is marked. */
export function decideUnsubscribe(
  { appId, openid, createTime }: Follower,
  { owners, unconfirmed }: FollowerFacts,
  rules: Rules,
  now: number,
): Decision {
  const ended = owners.filter(({ binding }) => binding !== null && createTime >= binding.eventTime)
  const endings = ended.map(
    ({ id }): Change =>
      rules.unsubscribe === 'mark'
        ? { type: 'setSubscribed', user: id, subscribed: false, eventTime: createTime }
        : { type: 'unbind', user: id, reason: 'unsubscribe', at: now },
  )
  return {
    changes: [
      ...endings,
      ...unconfirmedUntil(unconfirmed, createTime).map(cancelScan),
      { type: 'recordUnfollow', appId, openid, eventTime: createTime, until: now + TOMBSTONE_KEPT_MS },
    ],
    reply: null,
  }
}

/** Followed: the mark of an older unfollow is cleared, and one that is still under way comes too late. */
export function decideFollowed(createTime: number, owners: User[]): Change[] {
  const older = owners.filter(({ binding }) => binding && createTime >= binding.eventTime)
  return older.map(({ id }) => ({ type: 'setSubscribed', user: id, subscribed: true, eventTime: createTime }))
}

/** "解绑" in the chat: a scan that waits is called off; else the latest binding ends. An older scan does not undo it. */
export function decideUndo(
  { appId, openid, createTime }: Follower,
  { owners, unconfirmed }: FollowerFacts,
  lang: Language,
  now: number,
): Decision {
  const erase: Change = { type: 'recordUnfollow', appId, openid, eventTime: createTime, until: now + TOMBSTONE_KEPT_MS }
  const live = unconfirmedUntil(unconfirmed, createTime).filter(
    ({ state }) => state.name === 'scanned' && now < state.confirmation.until,
  )
  if (live[0]) return { changes: [...live.map(cancelScan), erase], reply: replyTo(live[0], 'cancelled') }
  const latest = owners.find(({ binding }) => binding !== null && createTime >= binding.eventTime)
  if (!latest?.binding) return { ...notOurs, reply: { name: 'not_bound', lang, label: null } }
  return {
    changes: [{ type: 'unbind', user: latest.id, reason: 'chat', at: now }, erase],
    reply: replyTo(latest.binding, 'unbound'),
  }
}
