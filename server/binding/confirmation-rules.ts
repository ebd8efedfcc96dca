/** The rules of a scan that waits for its confirmation, as pure functions: `CONFIRM=reply` and `CONFIRM=code`. */
import type { Change, Claimable, Language, PendingConfirmation, Ticket, User } from '../store/store.ts'
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
  notOurs,
  type Rules,
  reasonOf,
  replyTo,
  toNewBinding,
} from './decision.ts'
import type { Reply } from './replies.ts'

// The time to confirm a scan; the page shows a countdown of it.
const CONFIRM_WITHIN_MS = 120_000

const TRIES = 3

/** Decides about a second scan of a ticket. The same WeChat user gets the instructions again; another user gets `used`. */
export function decideScannedAgain(
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
export function awaitConfirmation(
  claim: Claim,
  { ticket, unconfirmed, digits: fourDigits }: { ticket: Ticket; unconfirmed: Ticket[]; digits: string },
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

const askToConfirm = (ticket: Ticket, confirm: PendingConfirmation['confirm'], digits: string | null): Reply =>
  confirm === 'code'
    ? { ...replyTo(ticket, 'confirm_code'), ...(digits === null ? {} : { digits }) }
    : { ...replyTo(ticket, 'confirm_reply'), question: ticket.id }

type ConfirmationFacts = { ticket: Ticket; user: User; owners: User[] }

/** Decides after a confirmation in the chat, or on the page with the right digits. */
export function decideConfirm({ ticket, user, owners }: ConfirmationFacts, rules: Rules, now: number): Decision {
  if (ticket.state.name !== 'scanned') return nothing
  const { confirmation } = ticket.state
  if (now >= confirmation.until) return { changes: [], reply: replyTo(ticket, 'expired') }
  if (isTaken(owners, user.identity, rules)) {
    return {
      changes: [
        { type: 'close', ticket: ticket.id, user: user.id, as: 'used', bumpsVersion: false },
        { type: 'refuse', user: user.id, notice: 'conflict', at: now },
      ],
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
  tapper: Pick<Claim, 'appId' | 'openid'>,
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

/** Wrong digits cost one try. After the last try the ticket is closed and the page is notified. */
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
