/**
 * The users, tickets and bindings that the tests of the rules share, and a function that describes a change as a short
 * text.
 */
import type { Claim, Rules } from '../../server/binding/decision.ts'
import type { Binding, Change, PendingConfirmation, Ticket, TicketState, User } from '../../server/store/store.ts'

export const NOW = 1_700_000_000_000
export const T = NOW / 1000

export const rules: Rules = { conflict: 'reject', confirm: 'off', unsubscribe: 'unbind' }

export const binding = (openid: string, eventTime = T): Binding => ({
  appId: 'wx1',
  openid,
  unionid: null,
  subscribed: true,
  boundAt: NOW - 1000,
  eventTime,
  label: 'a***',
  lang: 'en',
})

export const user = (id: number, bound: Binding | null = null, tenant = 'default'): User => ({
  id,
  identity: { tenant, account: 'acme', userId: `u${id}` },
  version: 1,
  reason: null,
  binding: bound,
  confirmation: null,
  refusedScan: null,
})

export const ticket = (state: TicketState = { name: 'pending' }): Ticket => ({
  id: 9,
  user: 1,
  appId: 'wx1',
  label: 'a***',
  lang: 'en',
  createdAt: NOW - 60_000,
  expiresAt: NOW + 60_000,
  state,
})

export const confirmation = (more: Partial<PendingConfirmation> = {}): PendingConfirmation => ({
  confirm: 'reply',
  openid: 'o1',
  eventTime: T,
  until: NOW + 120_000,
  digits: null,
  triesLeft: 3,
  reason: 'scan',
  ...more,
})

export const scanned = (more?: Partial<PendingConfirmation>): TicketState => ({
  name: 'scanned',
  confirmation: confirmation(more),
})

export const scan: Claim = { via: 'SCAN', appId: 'wx1', openid: 'o1', createTime: T, delivery: 'this delivery' }

/** Returns a short text that describes a change. The tables of the tests contain these texts. */
export function brief(change: Change): string {
  switch (change.type) {
    case 'bind':
      return `bind u${change.user} to ${change.binding.openid} by ${change.reason}`
    case 'unbind':
      return `unbind u${change.user}: ${change.reason}`
    case 'close':
      return `ticket ${change.ticket === 9 ? '' : `${change.ticket} `}is ${change.as}${change.bumpsVersion ? ', new version' : ''}`
    case 'closeTickets':
      return change.ticket === undefined ? 'close every ticket' : 'close the other tickets'
    case 'scan':
      return `await ${change.confirmation.confirm} of ${change.confirmation.openid} until +${(change.confirmation.until - NOW) / 1000} s`
    case 'setSubscribed':
      return `mark u${change.user} ${change.subscribed ? 'subscribed' : 'unsubscribed'} at ${change.eventTime - T}`
    case 'relabel':
      return `label ${change.label}`
    case 'wrongDigits':
      return `${change.triesLeft} tries left`
    case 'recordUnfollow':
      return `keep the unfollow of ${change.openid} until +${(change.until - NOW) / 1000} s`
    case 'wrongCode':
      return `count a wrong code of ${change.openid}`
    case 'refuse':
      return `notice ${change.notice} to u${change.user}`
    default:
      return change.type
  }
}

export const bound = ['ticket is used', 'close the other tickets', 'bind u1 to o1 by scan']
