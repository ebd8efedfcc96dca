/** Every (configuration, state, event) -> (changes, reply), as a table. */
import { describe, expect, test } from 'vitest'
import {
  type Claim,
  decideChatConfirm,
  decideClaim,
  decideConfirm,
  decideConfirmationExpired,
  decideFollowed,
  decideUndo,
  decideUnsubscribe,
  decideWrongDigits,
  type Rules,
} from '../../../server/binding/rules.ts'
import type { Binding, Change, PendingConfirmation, Ticket, TicketState, User } from '../../../server/store/store.ts'

const NOW = 1_700_000_000_000
const T = NOW / 1000

const rules: Rules = { conflict: 'reject', confirm: 'off', unsubscribe: 'unbind' }

const binding = (openid: string, eventTime = T): Binding => ({
  appId: 'wx1',
  openid,
  unionid: null,
  subscribed: true,
  boundAt: NOW - 1000,
  eventTime,
  label: 'a***',
  lang: 'en',
})

const user = (id: number, bound: Binding | null = null, tenant = 'default'): User => ({
  id,
  identity: { tenant, account: 'acme', userId: `u${id}` },
  version: 1,
  reason: null,
  binding: bound,
  confirmation: null,
})

const ticket = (state: TicketState = { name: 'pending' }): Ticket => ({
  id: 9,
  user: 1,
  appId: 'wx1',
  label: 'a***',
  lang: 'en',
  createdAt: NOW - 60_000,
  expiresAt: NOW + 60_000,
  state,
})

const confirmation = (more: Partial<PendingConfirmation> = {}): PendingConfirmation => ({
  confirm: 'reply',
  openid: 'o1',
  eventTime: T,
  until: NOW + 120_000,
  digits: null,
  triesLeft: 3,
  reason: 'scan',
  ...more,
})

const scanned = (more?: Partial<PendingConfirmation>): TicketState => ({
  name: 'scanned',
  confirmation: confirmation(more),
})

const scan: Claim = { via: 'SCAN', appId: 'wx1', openid: 'o1', createTime: T, delivery: 'this delivery' }

/** A change in few words, so that a row of the table reads as a sentence. */
function brief(change: Change): string {
  switch (change.type) {
    case 'bind':
      return `bind u${change.user} to ${change.binding.openid} by ${change.reason}`
    case 'unbind':
      return `unbind u${change.user}: ${change.reason}`
    case 'close':
      return `ticket ${change.ticket === 9 ? '' : `${change.ticket} `}is ${change.as}${change.bumpsVersion ? ', wake' : ''}`
    case 'closeTickets':
      return change.ticket === undefined ? 'close every ticket' : 'close the other tickets'
    case 'scan':
      return `hold for ${change.confirmation.confirm} by ${change.confirmation.openid} until +${(change.confirmation.until - NOW) / 1000} s`
    case 'setSubscribed':
      return `mark u${change.user} ${change.subscribed ? 'subscribed' : 'unsubscribed'} at ${change.eventTime - T}`
    case 'relabel':
      return `call it ${change.label}`
    case 'wrongDigits':
      return `${change.triesLeft} tries left`
    case 'recordUnfollow':
      return `remember the unfollow of ${change.openid} until +${(change.until - NOW) / 1000} s`
    case 'wrongCode':
      return `count a wrong code of ${change.openid}`
  }
}

const bound = ['ticket is used', 'close the other tickets', 'bind u1 to o1 by scan']

type Row = {
  name: string
  claim?: Partial<Claim>
  rules?: Partial<Rules>
  state?: TicketState
  user?: User
  owners?: User[]
  unfollowedAt?: number
  unconfirmed?: Ticket[]
  /** Moves the clock, ms. */
  later?: number
  changes: string[]
  reply: string | null
}

const claims: Row[] = [
  { name: 'a scan binds', changes: bound, reply: 'bound' },
  { name: 'a follow binds', claim: { via: 'subscribe' }, changes: bound, reply: 'bound' },
  {
    name: 'the code in the chat binds, by text',
    claim: { via: 'text' },
    changes: ['ticket is used', 'close the other tickets', 'bind u1 to o1 by text'],
    reply: 'bound',
  },
  { name: 'the last moment counts', later: 59_999, changes: bound, reply: 'bound' },
  { name: 'a scan at the end is late', later: 60_000, changes: [], reply: 'expired' },
  { name: 'a code at the end is late', claim: { via: 'text' }, later: 60_000, changes: [], reply: 'expired' },
  { name: 'a follow has 300 s more', claim: { via: 'subscribe' }, later: 359_999, changes: bound, reply: 'bound' },
  { name: 'a follow after that is late', claim: { via: 'subscribe' }, later: 360_000, changes: [], reply: 'expired' },
  { name: 'a replaced ticket changes nothing', state: { name: 'replaced' }, changes: [], reply: 'expired' },
  { name: 'a dead ticket changes nothing', state: { name: 'dead' }, changes: [], reply: 'expired' },
  {
    name: 'a used ticket changes nothing for another',
    state: { name: 'used', delivery: 'an earlier delivery' },
    user: user(1, binding('o2')),
    changes: [],
    reply: 'used',
  },
  {
    name: 'a used ticket tells its own scanner so',
    state: { name: 'used', delivery: 'an earlier delivery' },
    user: user(1, binding('o1')),
    changes: [],
    reply: 'already_bound',
  },
  {
    name: 'the delivery that used a ticket gets its reply again',
    state: { name: 'used', delivery: 'this delivery' },
    user: user(1, binding('o1')),
    changes: [],
    reply: 'bound',
  },
  {
    name: 'that delivery comes again after an unbind, and binds nothing',
    state: { name: 'used', delivery: 'this delivery' },
    changes: [],
    reply: 'bound',
  },
  {
    name: 'a used ticket does not bind again after an unbind',
    state: { name: 'used', delivery: 'an earlier delivery' },
    changes: [],
    reply: 'used',
  },
  {
    name: 'the same WeChat again uses up the ticket and clears its mark',
    user: user(1, binding('o1')),
    claim: { createTime: T + 5 },
    changes: ['ticket is used', 'mark u1 subscribed at 5'],
    reply: 'already_bound',
  },
  {
    name: 'a second WeChat replaces the first',
    user: user(1, binding('o2')),
    changes: ['ticket is used', 'close the other tickets', 'unbind u1: replaced', 'bind u1 to o1 by scan'],
    reply: 'bound',
  },
  {
    name: 'an older scan does not undo a newer binding',
    user: user(1, binding('o2', T + 1)),
    changes: [],
    reply: null,
  },
  { name: 'an older scan does not undo a newer unfollow', unfollowedAt: T + 1, changes: [], reply: null },
  { name: 'of two facts of one second the later arrival wins', unfollowedAt: T, changes: bound, reply: 'bound' },
  {
    name: 'reject: a WeChat of another user is turned away and the ticket lives',
    owners: [user(2, binding('o1'))],
    changes: [],
    reply: 'conflict',
  },
  {
    name: 'reject: a marked WeChat still counts',
    owners: [user(2, { ...binding('o1'), subscribed: false })],
    changes: [],
    reply: 'conflict',
  },
  {
    name: 'reject: another tenant does not count',
    owners: [user(2, binding('o1'), 'other')],
    changes: bound,
    reply: 'bound',
  },
  {
    name: 'replace: the other user gives way',
    rules: { conflict: 'replace' },
    owners: [user(2, binding('o1')), user(3, binding('o1'), 'other')],
    changes: ['ticket is used', 'close the other tickets', 'unbind u2: replaced', 'bind u1 to o1 by scan'],
    reply: 'bound',
  },
  {
    name: 'replace: an older scan does not take over a newer binding',
    rules: { conflict: 'replace' },
    owners: [user(2, binding('o1', T + 1))],
    changes: [],
    reply: null,
  },
  {
    name: 'confirm: the latest scan is the one that is asked about',
    rules: { confirm: 'reply' },
    unconfirmed: [{ ...ticket(scanned()), id: 7, user: 5 }],
    changes: ['ticket 7 is used, wake', 'hold for reply by o1 until +120 s'],
    reply: 'confirm_reply',
  },
  {
    name: 'allow: both keep it',
    rules: { conflict: 'allow' },
    owners: [user(2, binding('o1'))],
    changes: bound,
    reply: 'bound',
  },
  {
    name: 'confirm by reply: held for 120 s',
    rules: { confirm: 'reply' },
    changes: ['hold for reply by o1 until +120 s'],
    reply: 'confirm_reply',
  },
  {
    name: 'confirm by code: held for 120 s',
    rules: { confirm: 'code' },
    changes: ['hold for code by o1 until +120 s'],
    reply: 'confirm_code',
  },
  {
    name: 'confirm: a conflict is told at the scan already',
    rules: { confirm: 'code' },
    owners: [user(2, binding('o1'))],
    changes: [],
    reply: 'conflict',
  },
  {
    name: 'held: its scanner is asked again',
    rules: { confirm: 'code' },
    state: scanned({ confirm: 'code', digits: '4821' }),
    changes: [],
    reply: 'confirm_code',
  },
  {
    name: 'held: its scanner comes too late',
    rules: { confirm: 'reply' },
    state: scanned(),
    later: 120_000,
    changes: [],
    reply: 'expired',
  },
  {
    name: 'held: anyone else is too late',
    rules: { confirm: 'reply' },
    state: scanned({ openid: 'o2' }),
    changes: [],
    reply: 'used',
  },
]

describe('decideClaim', () => {
  test.each(claims)('$name', (row) => {
    const { user: claimed = user(1), owners = [], unfollowedAt, unconfirmed = [] } = row
    const { changes, reply } = decideClaim(
      { ...scan, ...row.claim },
      { ticket: ticket(row.state), user: claimed, owners, unfollowedAt, unconfirmed, digits: '0042' },
      { ...rules, ...row.rules },
      NOW + (row.later ?? 0),
    )
    expect(changes.map(brief)).toEqual(row.changes)
    expect(reply?.name ?? null).toBe(row.reply)
  })

  test('shows the digits in the chat, and only under code', () => {
    const facts = {
      ticket: ticket(),
      user: user(1),
      owners: [],
      unfollowedAt: undefined,
      unconfirmed: [],
      digits: '0042',
    }
    const digitsUnder = (confirm: Rules['confirm']) =>
      decideClaim(scan, facts, { ...rules, confirm }, NOW).reply?.digits
    expect(['off', 'reply', 'code'].map((confirm) => digitsUnder(confirm as Rules['confirm']))).toEqual([
      undefined,
      undefined,
      '0042',
    ])
  })

  test('names the label of the ticket and never that of another account', () => {
    const other = user(2, { ...binding('o1'), label: 'secret-other' })
    const facts = {
      ticket: ticket(),
      user: user(1),
      owners: [other],
      unfollowedAt: undefined,
      unconfirmed: [],
      digits: '',
    }
    expect(decideClaim(scan, facts, rules, NOW).reply).toEqual({ name: 'conflict', lang: 'en', label: 'a***' })
  })
})

describe('decideConfirm', () => {
  const rows: {
    name: string
    state?: TicketState
    owners?: User[]
    later?: number
    changes: string[]
    reply: string | null
  }[] = [
    { name: 'binds what is held', state: scanned(), changes: bound, reply: 'bound' },
    { name: 'does nothing when nothing is held', changes: [], reply: null },
    { name: 'is late at the end', state: scanned(), later: 120_000, changes: [], reply: 'expired' },
    {
      name: 'lets go when the WeChat was taken meanwhile',
      state: scanned(),
      owners: [user(2, binding('o1'))],
      changes: ['ticket is used, wake'],
      reply: 'conflict',
    },
  ]
  test.each(rows)('$name', ({ state, owners = [], later = 0, changes, reply }) => {
    const decision = decideConfirm({ ticket: ticket(state), user: user(1), owners }, rules, NOW + later)
    expect(decision.changes.map(brief)).toEqual(changes)
    expect(decision.reply?.name ?? null).toBe(reply)
  })
})

describe('decideWrongDigits', () => {
  test.each([
    [3, ['2 tries left']],
    [2, ['1 tries left']],
    [1, ['ticket is dead, wake']],
  ])('takes one of %i tries', (triesLeft, changes) => {
    expect(decideWrongDigits(ticket(), confirmation({ triesLeft })).map(brief)).toEqual(changes)
  })
})

describe('decideConfirmationExpired', () => {
  test('lets go at the end, and not before', () => {
    expect(decideConfirmationExpired(ticket(scanned()), NOW + 119_999)).toEqual([])
    expect(decideConfirmationExpired(ticket(scanned()), NOW + 120_000).map(brief)).toEqual(['ticket is used, wake'])
    expect(decideConfirmationExpired(ticket(), NOW + 120_000)).toEqual([])
  })
})

describe('decideUnsubscribe', () => {
  const leave = { appId: 'wx1', openid: 'o1', createTime: T }
  const remembered = 'remember the unfollow of o1 until +600 s'
  const rows: { name: string; rules?: Partial<Rules>; owners?: User[]; unconfirmed?: Ticket[]; changes: string[] }[] = [
    { name: 'unbinds', owners: [user(1, binding('o1'))], changes: ['unbind u1: unsubscribe', remembered] },
    {
      name: 'unbinds in every tenant',
      owners: [user(1, binding('o1')), user(2, binding('o1'), 'other')],
      changes: ['unbind u1: unsubscribe', 'unbind u2: unsubscribe', remembered],
    },
    { name: 'leaves a newer binding alone', owners: [user(1, binding('o1', T + 1))], changes: [remembered] },
    { name: 'remembers an unfollow of someone unknown', changes: [remembered] },
    {
      name: 'marks where that is asked for',
      rules: { unsubscribe: 'mark' },
      owners: [user(1, binding('o1', T - 1))],
      changes: ['mark u1 unsubscribed at 0', remembered],
    },
    {
      name: 'lets go of every held scan',
      unconfirmed: [ticket(scanned()), { ...ticket(scanned()), id: 8 }],
      changes: ['ticket is used, wake', 'ticket 8 is used, wake', remembered],
    },
    {
      name: 'cancels a scan before an unbinding closes the same ticket',
      owners: [user(1, binding('o1'))],
      unconfirmed: [ticket(scanned())],
      changes: ['ticket is used, wake', 'unbind u1: unsubscribe', remembered],
    },
    { name: 'keeps a newer held scan', unconfirmed: [ticket(scanned({ eventTime: T + 1 }))], changes: [remembered] },
  ]
  test.each(rows)('$name', ({ rules: own, owners = [], unconfirmed = [], changes }) => {
    const decision = decideUnsubscribe(leave, { owners, unconfirmed }, { ...rules, ...own }, NOW)
    expect(decision.changes.map(brief)).toEqual(changes)
    expect(decision.reply).toBeNull()
  })
})

describe('decideFollowed', () => {
  test('clears the marks that are not newer, and moves every fact on', () => {
    const marked = (id: number, eventTime: number) => user(id, { ...binding('o1', eventTime), subscribed: false })
    const changes = decideFollowed(T, [marked(1, T), marked(2, T + 1), user(3, binding('o1'))])
    expect(changes.map(brief)).toEqual(['mark u1 subscribed at 0', 'mark u3 subscribed at 0'])
  })
})

describe('decideChatConfirm', () => {
  const decide = (state: TicketState | undefined, createTime: number) =>
    decideChatConfirm(createTime, { ticket: state && ticket(state), user: user(1), owners: [] }, rules, NOW)

  test('binds what is held', () => {
    expect(decide(scanned(), T).changes.map(brief)).toEqual(bound)
  })

  test('is not ours where nothing is held, and proves nothing under code', () => {
    expect(
      [undefined, { name: 'used', delivery: null } as const, scanned({ confirm: 'code' })].map((state) =>
        decide(state, T),
      ),
    ).toEqual([
      { changes: [], reply: null, isOurs: false },
      { changes: [], reply: null, isOurs: false },
      { changes: [], reply: null, isOurs: false },
    ])
  })

  test('from before the scan does nothing', () => {
    expect(decide(scanned(), T - 1)).toEqual({ changes: [], reply: null })
  })
})

describe('decideUndo', () => {
  const follower = { appId: 'wx1', openid: 'o1', createTime: T }
  const remembered = 'remember the unfollow of o1 until +600 s'
  const rows: { name: string; owners?: User[]; unconfirmed?: Ticket[]; changes: string[]; reply: string }[] = [
    {
      name: 'ends the latest binding',
      owners: [user(2, binding('o1')), user(1, binding('o1'))],
      changes: ['unbind u2: chat', remembered],
      reply: 'unbound',
    },
    { name: 'has nothing to end', changes: [], reply: 'not_bound' },
    { name: 'leaves a newer binding alone', owners: [user(1, binding('o1', T + 1))], changes: [], reply: 'not_bound' },
    {
      name: 'calls off a held scan before it ends a binding',
      owners: [user(2, binding('o1'))],
      unconfirmed: [ticket(scanned())],
      changes: ['ticket is used, wake', remembered],
      reply: 'cancelled',
    },
    {
      name: 'leaves a newer scan alone',
      unconfirmed: [ticket(scanned({ eventTime: T + 1 }))],
      changes: [],
      reply: 'not_bound',
    },
    { name: 'finds a held scan over', unconfirmed: [ticket(scanned({ until: NOW }))], changes: [], reply: 'not_bound' },
  ]
  test.each(rows)('$name', ({ owners = [], unconfirmed = [], changes, reply }) => {
    const decision = decideUndo(follower, { owners, unconfirmed }, 'en', NOW)
    expect(decision.changes.map(brief)).toEqual(changes)
    expect(decision.reply?.name).toBe(reply)
  })
})
