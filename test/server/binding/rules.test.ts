/** The rules of binding as tables: configuration, state and event on one side, changes and reply on the other. */
import { describe, expect, test } from 'vitest'
import type { Claim, Rules } from '../../../server/binding/decision.ts'
import { decideClaim, decideFollowed, decideUndo, decideUnsubscribe } from '../../../server/binding/rules.ts'
import type { Ticket, TicketState, User } from '../../../server/store/store.ts'
import { binding, bound, brief, NOW, rules, scan, scanned, T, ticket, user } from '../../support/rule-fixture.ts'

type Row = {
  name: string
  claim?: Partial<Claim>
  rules?: Partial<Rules>
  state?: TicketState
  user?: User
  owners?: User[]
  unfollowedAt?: number
  unconfirmed?: Ticket[]
  /** Ms after NOW. */
  later?: number
  changes: string[]
  reply: string | null
}

const claims: Row[] = [
  { name: 'a scan binds', changes: bound, reply: 'bound' },
  { name: 'a follow binds', claim: { via: 'subscribe' }, changes: bound, reply: 'bound' },
  {
    name: 'the code in the chat binds, with the reason text',
    claim: { via: 'text' },
    changes: ['ticket is used', 'close the other tickets', 'bind u1 to o1 by text'],
    reply: 'bound',
  },
  { name: 'a scan 1 ms before the expiry binds', later: 59_999, changes: bound, reply: 'bound' },
  { name: 'a scan at the expiry is too late', later: 60_000, changes: ['notice expired_scan to u1'], reply: 'expired' },
  {
    name: 'a code at the expiry is too late',
    claim: { via: 'text' },
    later: 60_000,
    changes: ['notice expired_scan to u1'],
    reply: 'expired',
  },
  {
    name: 'a follow binds up to 300 s after the expiry',
    claim: { via: 'subscribe' },
    later: 359_999,
    changes: bound,
    reply: 'bound',
  },
  {
    name: 'a follow 300 s after the expiry is too late',
    claim: { via: 'subscribe' },
    later: 360_000,
    changes: ['notice expired_scan to u1'],
    reply: 'expired',
  },
  {
    name: 'a replaced ticket binds nobody',
    state: { name: 'replaced' },
    changes: ['notice expired_scan to u1'],
    reply: 'expired',
  },
  {
    name: 'a ticket closed after wrong digits binds nobody',
    state: { name: 'dead' },
    changes: ['notice expired_scan to u1'],
    reply: 'expired',
  },
  {
    name: 'a used ticket changes nothing for another WeChat',
    state: { name: 'used', delivery: 'an earlier delivery' },
    user: user(1, binding('o2')),
    changes: [],
    reply: 'used',
  },
  {
    name: 'a used ticket gets the reply "already bound" when the same WeChat scans it again',
    state: { name: 'used', delivery: 'an earlier delivery' },
    user: user(1, binding('o1')),
    changes: [],
    reply: 'already_bound',
  },
  {
    name: 'a redelivery of the scan that used a ticket gets the same reply',
    state: { name: 'used', delivery: 'this delivery' },
    user: user(1, binding('o1')),
    changes: [],
    reply: 'bound',
  },
  {
    name: 'a redelivery of the scan after an unbind gets the same reply and binds nothing',
    state: { name: 'used', delivery: 'this delivery' },
    changes: [],
    reply: 'bound',
  },
  {
    name: 'a used ticket does not bind again after an unbind',
    state: { name: 'used', delivery: 'an earlier delivery' },
    changes: ['notice expired_scan to u1'],
    reply: 'used',
  },
  {
    name: 'a scan by the WeChat that is bound already uses the ticket and marks it as following',
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
  {
    name: 'of two events in the same second, the later arrival has an effect',
    unfollowedAt: T,
    changes: bound,
    reply: 'bound',
  },
  {
    name: 'reject: a WeChat of another user is refused and the ticket stays pending',
    owners: [user(2, binding('o1'))],
    changes: ['notice conflict to u1'],
    reply: 'conflict',
  },
  {
    name: 'reject: a WeChat that unfollowed and is only marked still belongs to its user',
    owners: [user(2, { ...binding('o1'), subscribed: false })],
    changes: ['notice conflict to u1'],
    reply: 'conflict',
  },
  {
    name: 'reject: a binding in another tenant is no conflict',
    owners: [user(2, binding('o1'), 'other')],
    changes: bound,
    reply: 'bound',
  },
  {
    name: 'replace: the other user of the tenant is unbound',
    rules: { conflict: 'replace' },
    owners: [user(2, binding('o1')), user(3, binding('o1'), 'other')],
    changes: ['ticket is used', 'close the other tickets', 'unbind u2: replaced', 'bind u1 to o1 by scan'],
    reply: 'bound',
  },
  {
    name: 'replace: an older scan does not replace a newer binding of another user',
    rules: { conflict: 'replace' },
    owners: [user(2, binding('o1', T + 1))],
    changes: [],
    reply: null,
  },
  {
    name: 'confirm: a new scan cancels the earlier scans of the same WeChat that wait for confirmation',
    rules: { confirm: 'reply' },
    unconfirmed: [{ ...ticket(scanned()), id: 7, user: 5 }],
    changes: ['ticket 7 is used, new version', 'await reply of o1 until +120 s'],
    reply: 'confirm_reply',
  },
  {
    name: 'replace: an owner without a binding is no obstacle',
    rules: { conflict: 'replace' },
    owners: [user(2)],
    changes: ['ticket is used', 'close the other tickets', 'unbind u2: replaced', 'bind u1 to o1 by scan'],
    reply: 'bound',
  },
  {
    name: 'a binding to the same openid of another Official Account is replaced',
    user: user(1, { ...binding('o1'), appId: 'wx2' }),
    changes: ['ticket is used', 'close the other tickets', 'unbind u1: replaced', 'bind u1 to o1 by scan'],
    reply: 'bound',
  },
  {
    name: 'reject: the same user id in another account of the tenant is another user',
    owners: [{ ...user(2, binding('o1')), identity: { tenant: 'default', account: 'other', userId: 'u1' } }],
    changes: ['notice conflict to u1'],
    reply: 'conflict',
  },
  {
    name: 'reject: another user id in the same account is another user',
    owners: [{ ...user(2, binding('o1')), identity: { tenant: 'default', account: 'acme', userId: 'u2' } }],
    changes: ['notice conflict to u1'],
    reply: 'conflict',
  },
  {
    name: 'allow: both users are bound',
    rules: { conflict: 'allow' },
    owners: [user(2, binding('o1'))],
    changes: bound,
    reply: 'bound',
  },
  {
    name: 'confirm by reply: the scan waits 120 s',
    rules: { confirm: 'reply' },
    changes: ['await reply of o1 until +120 s'],
    reply: 'confirm_reply',
  },
  {
    name: 'confirm by code: the scan waits 120 s',
    rules: { confirm: 'code' },
    changes: ['await code of o1 until +120 s'],
    reply: 'confirm_code',
  },
  {
    name: 'confirm: a conflict is refused at the scan',
    rules: { confirm: 'code' },
    owners: [user(2, binding('o1'))],
    changes: ['notice conflict to u1'],
    reply: 'conflict',
  },
  {
    name: 'scanned: a second scan by the same WeChat repeats the question',
    rules: { confirm: 'code' },
    state: scanned({ confirm: 'code', digits: '4821' }),
    changes: [],
    reply: 'confirm_code',
  },
  {
    name: 'scanned: a second scan by the same WeChat after 120 s is too late',
    rules: { confirm: 'reply' },
    state: scanned(),
    later: 120_000,
    changes: [],
    reply: 'expired',
  },
  {
    name: 'scanned: another WeChat is too late',
    rules: { confirm: 'reply' },
    state: scanned({ openid: 'o2' }),
    changes: [],
    reply: 'used',
  },
  {
    name: 'a second refused scan within 10 s causes no notice',
    state: { name: 'dead' },
    user: { ...user(1), refusedScan: { notice: 'conflict', version: 1, at: NOW - 9_999 } },
    changes: [],
    reply: 'expired',
  },
  {
    name: 'a refused scan 10 s after the last one causes a notice',
    state: { name: 'dead' },
    user: { ...user(1), refusedScan: { notice: 'conflict', version: 1, at: NOW - 10_000 } },
    changes: ['notice expired_scan to u1'],
    reply: 'expired',
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

  test('puts the digits into the reply under CONFIRM=code only', () => {
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

  test('replies with the label of the ticket, never with that of another account', () => {
    const other = user(2, { ...binding('o1'), label: 'secret-other' })
    const facts = {
      ticket: ticket(),
      user: user(1),
      owners: [other],
      unfollowedAt: undefined,
      unconfirmed: [],
      digits: '',
    }
    expect(decideClaim(scan, facts, rules, NOW).reply).toEqual({ name: 'conflict', lang: 'en', label: 'a***', user: 1 })
  })
})

describe('the changes of a scan', () => {
  const facts = {
    ticket: ticket(),
    user: user(1),
    owners: [],
    unfollowedAt: undefined,
    unconfirmed: [],
    digits: '0042',
  }

  test('contain the delivery, the whole binding and the time when the QR code was made, if the scan binds', () => {
    expect(decideClaim({ ...scan, createTime: T + 5 }, facts, rules, NOW + 7).changes).toEqual([
      { type: 'close', ticket: 9, user: 1, as: 'used', bumpsVersion: false, delivery: 'this delivery' },
      { type: 'closeTickets', user: 1, ticket: 9, bumpsVersion: false },
      {
        type: 'bind',
        user: 1,
        binding: {
          appId: 'wx1',
          openid: 'o1',
          unionid: null,
          subscribed: true,
          boundAt: NOW + 7,
          eventTime: T + 5,
          label: 'a***',
          lang: 'en',
        },
        reason: 'scan',
        at: NOW + 7,
        shownAt: NOW - 60_000,
      },
    ])
  })

  test.each([
    ['code', 'SCAN', '0042', 'scan'],
    ['reply', 'text', null, 'text'],
  ] as const)(
    'contain every value that the confirmation needs, if the scan waits for a %s',
    (confirm, via, digits, reason) => {
      expect(decideClaim({ ...scan, via }, facts, { ...rules, confirm }, NOW).changes).toEqual([
        {
          type: 'scan',
          ticket: 9,
          user: 1,
          confirmation: { confirm, openid: 'o1', eventTime: T, until: NOW + 120_000, digits, triesLeft: 3, reason },
        },
      ])
    },
  )
})

describe('decideUnsubscribe', () => {
  type Row = {
    name: string
    rules?: Partial<Rules>
    erases?: boolean
    owners?: User[]
    unconfirmed?: Ticket[]
    changes: string[]
  }
  const leave = { appId: 'wx1', openid: 'o1', createTime: T }
  const kept = 'keep the unfollow of o1 until +600 s'
  const rows: Row[] = [
    { name: 'unbinds', owners: [user(1, binding('o1'))], changes: ['unbind u1: unsubscribe', kept] },
    {
      name: 'unbinds in every tenant',
      owners: [user(1, binding('o1')), user(2, binding('o1'), 'other')],
      changes: ['unbind u1: unsubscribe', 'unbind u2: unsubscribe', kept],
    },
    { name: 'keeps a newer binding', owners: [user(1, binding('o1', T + 1))], changes: [kept] },
    { name: 'keeps the unfollow of an openid that is not bound', changes: [kept] },
    {
      name: 'mark: marks the binding as not following',
      rules: { unsubscribe: 'mark' },
      owners: [user(1, binding('o1', T - 1))],
      changes: ['mark u1 unsubscribed at 0', kept],
    },
    {
      name: 'mark: still unbinds when the authorization has ended, even after a newer unfollow',
      rules: { unsubscribe: 'mark' },
      erases: true,
      owners: [user(1, binding('o1', T - 1)), user(2, { ...binding('o1', T + 1), subscribed: false })],
      changes: ['unbind u1: unsubscribe', 'unbind u2: unsubscribe', kept],
    },
    {
      name: 'keeps a binding that is newer than the end of the authorization',
      erases: true,
      owners: [user(1, binding('o1', T + 1))],
      changes: [kept],
    },
    {
      name: 'ends every scan that waits for confirmation',
      unconfirmed: [ticket(scanned()), { ...ticket(scanned()), id: 8 }],
      changes: ['ticket is used, new version', 'ticket 8 is used, new version', kept],
    },
    {
      name: 'keeps a newer scan that waits for confirmation',
      unconfirmed: [ticket(scanned({ eventTime: T + 1 }))],
      changes: [kept],
    },
    {
      name: 'ignores an owner without a binding and a ticket that is not scanned',
      owners: [user(1)],
      unconfirmed: [ticket()],
      changes: [kept],
    },
    {
      name: 'cancels a scan before an unbinding closes the same ticket',
      owners: [user(1, binding('o1'))],
      unconfirmed: [ticket(scanned())],
      changes: ['ticket is used, new version', 'unbind u1: unsubscribe', kept],
    },
  ]
  test.each(rows)('$name', ({ rules: own, erases, owners = [], unconfirmed = [], changes }) => {
    const decision = decideUnsubscribe(
      { ...leave, erases },
      { owners, unconfirmed, authorizations: [] },
      { ...rules, ...own },
      NOW,
    )
    expect(decision.changes.map(brief)).toEqual(changes)
    expect(decision.reply).toBeNull()
  })
})

describe('decideFollowed', () => {
  test('marks every binding that is not newer as following', () => {
    const marked = (id: number, eventTime: number) => user(id, { ...binding('o1', eventTime), subscribed: false })
    const changes = decideFollowed(T, [marked(1, T), marked(2, T + 1), user(3, binding('o1')), user(4)], NOW)
    expect(changes.map(brief)).toEqual(['mark u1 subscribed at 0', 'mark u3 subscribed at 0'])
  })
})

describe('decideUndo', () => {
  const follower = { appId: 'wx1', openid: 'o1', createTime: T }
  const kept = 'keep the unfollow of o1 until +600 s'
  const rows: { name: string; owners?: User[]; unconfirmed?: Ticket[]; changes: string[]; reply: string }[] = [
    {
      name: 'unbinds the latest binding',
      owners: [user(2, binding('o1')), user(1, binding('o1'))],
      changes: ['unbind u2: chat', kept],
      reply: 'unbound',
    },
    { name: 'replies that nothing is bound', changes: [], reply: 'not_bound' },
    { name: 'ignores an owner without a binding', owners: [user(1)], changes: [], reply: 'not_bound' },
    {
      name: 'unbinds the latest of the bindings that are not newer',
      owners: [user(3, binding('o1', T + 1)), user(2, binding('o1')), user(1, binding('o1'))],
      changes: ['unbind u2: chat', kept],
      reply: 'unbound',
    },
    { name: 'keeps a newer binding', owners: [user(1, binding('o1', T + 1))], changes: [], reply: 'not_bound' },
    {
      name: 'cancels a scan that waits for confirmation, and keeps the binding',
      owners: [user(2, binding('o1'))],
      unconfirmed: [ticket(scanned())],
      changes: ['ticket is used, new version', kept],
      reply: 'cancelled',
    },
    {
      name: 'keeps a newer scan',
      unconfirmed: [ticket(scanned({ eventTime: T + 1 }))],
      changes: [],
      reply: 'not_bound',
    },
    {
      name: 'ignores a scan whose 120 s are over',
      unconfirmed: [ticket(scanned({ until: NOW }))],
      changes: [],
      reply: 'not_bound',
    },
  ]
  test.each(rows)('$name', ({ owners = [], unconfirmed = [], changes, reply }) => {
    const decision = decideUndo(follower, { owners, unconfirmed, authorizations: [] }, 'en', NOW)
    expect(decision.changes.map(brief)).toEqual(changes)
    expect(decision.reply?.name).toBe(reply)
  })
})
