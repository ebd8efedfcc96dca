/** The parts that the rules of binding share: the settings, the type of a decision, and the changes of a binding. Pure. */
import type { Binding, BindReason, Change, Identity, Ticket, TicketState, User } from '../store/store.ts'
import type { Notice } from '../wire.ts'
import type { Reply, ReplyName } from './replies.ts'

export type Rules = {
  conflict: 'reject' | 'replace' | 'allow'
  confirm: 'off' | 'reply' | 'code'
  unsubscribe: 'unbind' | 'mark'
  /** Whether users may bind without a scan (`WECHAT_OAUTH`). If so, some bound users do not follow the account. */
  oauth?: boolean
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

export const nothing: Decision = { changes: [], reply: null }
export const notOurs: Decision = { ...nothing, isOurs: false }

/** A ticket that waits for its confirmation. */
export type ScannedTicket = Ticket & { state: Extract<TicketState, { name: 'scanned' }> }

export const isScanned = (ticket: Ticket): ticket is ScannedTicket => ticket.state.name === 'scanned'

export const isAwaited = ({ state }: ScannedTicket, now: number) => now < state.confirmation.until

export const isOlder = ({ createTime }: { createTime: number }, than = Number.NEGATIVE_INFINITY) => createTime < than

export const isBoundTo = ({ binding }: User, { appId, openid }: Pick<Claim, 'appId' | 'openid'>) =>
  binding !== null && binding.openid === openid && binding.appId === appId

export const isTaken = (owners: User[], identity: Identity, { conflict }: Rules) =>
  conflict === 'reject' && othersOf(owners, identity).length > 0

const othersOf = (owners: User[], { tenant, account, userId }: Identity) =>
  owners.filter(
    ({ identity: owner }) => owner.tenant === tenant && !(owner.account === account && owner.userId === userId),
  )

export const reasonOf = ({ via }: Claim): BindReason => (via === 'text' ? 'text' : 'scan')

export const replyTo = ({ lang, label, user }: Pick<Ticket, 'lang' | 'label' | 'user'>, name: ReplyName): Reply => ({
  name,
  lang,
  label,
  user,
})

export const toNewBinding = (
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

export const cancelScan = ({ id, user }: Ticket): Change => ({
  type: 'close',
  ticket: id,
  user,
  as: 'used',
  bumpsVersion: true,
})

/** A notice raises the version at most once in this time, so that many scans cannot keep the pages busy. */
const NOTICE_SPACING_MS = 10_000

/** Tells the pages of a user that a scan was refused. The pages of a bound user show no QR code. */
export function noticeTo({ id, binding, refusedScan }: User, notice: Notice, now: number): Change[] {
  const isRecent = refusedScan !== null && now < refusedScan.at + NOTICE_SPACING_MS
  return binding || isRecent ? [] : [{ type: 'refuse', user: id, notice, at: now }]
}

/** Closes the ticket, unbinds the users that the binding replaces, then binds. The events are sent in this order. */
export function bind(
  { ticket, user, owners }: { ticket: Ticket; user: User; owners: User[] },
  binding: Binding,
  reason: BindReason,
  rules: Rules,
  now: number,
  delivery?: string,
): Decision {
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
      ...toBindChanges({ user, owners }, { binding, reason, shownAt: ticket.createdAt, ticket: ticket.id }, rules, now),
    ],
    reply: replyTo(ticket, 'bound'),
  }
}

/** `shownAt`: when the page began to offer the binding. `ticket`: the scanned ticket; undefined without a scan. */
type NewBound = { binding: Binding; reason: BindReason; shownAt: number; ticket?: number }

/** Closes the other tickets of the user, unbinds the users that the binding replaces, then binds. */
export function toBindChanges(
  { user, owners }: { user: User; owners: User[] },
  { binding, reason, shownAt, ticket }: NewBound,
  rules: Rules,
  now: number,
): Change[] {
  const replaced = replacedBy(user, owners, rules)
  if (user.binding) replaced.push(user)
  return [
    { type: 'closeTickets', user: user.id, ...(ticket !== undefined && { ticket }), bumpsVersion: false },
    ...replaced.map(({ id }): Change => ({ type: 'unbind', user: id, reason: 'replaced', at: now })),
    { type: 'bind', user: user.id, binding, reason, at: now, shownAt },
  ]
}

export const replacedBy = ({ identity }: User, owners: User[], { conflict }: Rules) =>
  conflict === 'replace' ? othersOf(owners, identity) : []
