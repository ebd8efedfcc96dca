/** The rules of a scan that waits for its confirmation, as tables. */
import { describe, expect, test } from 'vitest'
import {
  decideChatConfirm,
  decideConfirm,
  decideConfirmationExpired,
  decideLateTap,
  decideWrongDigits,
  scansAwaitingDigits,
  scanToConfirm,
} from '../../../server/binding/confirmation-rules.ts'
import type { PendingConfirmation, Ticket, TicketState, User } from '../../../server/store/store.ts'
import {
  binding,
  bound,
  brief,
  confirmation,
  NOW,
  rules,
  scanned,
  T,
  ticket,
  user,
} from '../../support/rule-fixture.ts'

describe('decideConfirm', () => {
  const rows: {
    name: string
    state?: TicketState
    owners?: User[]
    later?: number
    changes: string[]
    reply: string | null
  }[] = [
    { name: 'binds a scan that waits for confirmation', state: scanned(), changes: bound, reply: 'bound' },
    { name: 'does nothing when the ticket is not scanned', changes: [], reply: null },
    { name: 'refuses a confirmation after 120 s', state: scanned(), later: 120_000, changes: [], reply: 'expired' },
    {
      name: 'ends the scan with a conflict when the WeChat was bound to another user in the meantime',
      state: scanned(),
      owners: [user(2, binding('o1'))],
      changes: ['ticket is used', 'notice conflict to u1'],
      reply: 'conflict',
    },
  ]
  test.each(rows)('$name', ({ state, owners = [], later = 0, changes, reply }) => {
    const decision = decideConfirm({ ticket: ticket(state), user: user(1), owners }, rules, NOW + later)
    expect(decision.changes.map(brief)).toEqual(changes)
    expect(decision.reply?.name ?? null).toBe(reply)
  })

  test('binds with the time and the reason of the scan, and names no delivery', () => {
    const state = scanned({ eventTime: T - 3, reason: 'text' })
    const { changes } = decideConfirm({ ticket: ticket(state), user: user(1), owners: [] }, rules, NOW)
    expect(changes[0]).toEqual({ type: 'close', ticket: 9, user: 1, as: 'used', bumpsVersion: false })
    expect(changes[2]).toMatchObject({
      type: 'bind',
      binding: { appId: 'wx1', openid: 'o1', eventTime: T - 3 },
      reason: 'text',
    })
  })

  test('binds when the same user has bound the WeChat in the meantime', () => {
    const again = user(1, binding('o1'))
    const decision = decideConfirm({ ticket: ticket(scanned()), user: again, owners: [again] }, rules, NOW)
    expect(decision.reply?.name).toBe('bound')
  })
})

describe('decideWrongDigits', () => {
  test.each([
    [3, ['2 tries left']],
    [2, ['1 tries left']],
    [1, ['ticket is dead, new version']],
  ])('takes one of %i tries', (triesLeft, changes) => {
    expect(decideWrongDigits(ticket(), confirmation({ triesLeft })).map(brief)).toEqual(changes)
  })
})

describe('decideConfirmationExpired', () => {
  test('ends the scan after 120 s, and not before', () => {
    expect(decideConfirmationExpired(ticket(scanned()), NOW + 119_999)).toEqual([])
    expect(decideConfirmationExpired(ticket(scanned()), NOW + 120_000).map(brief)).toEqual([
      'ticket is used, new version',
    ])
    expect(decideConfirmationExpired(ticket(), NOW + 120_000)).toEqual([])
  })
})

describe('decideChatConfirm', () => {
  const decide = (state: TicketState, createTime: number) =>
    decideChatConfirm(createTime, { ticket: ticket(state), user: user(1), owners: [] }, rules, NOW)

  test('binds a scan that waits for confirmation', () => {
    expect(decide(scanned(), T).changes.map(brief)).toEqual(bound)
  })

  test.each<[string, TicketState]>([
    ['when nothing waits for confirmation', { name: 'used', delivery: null }],
    ['under CONFIRM=code', scanned({ confirm: 'code' })],
  ])('leaves the word to another system %s', (_, state) => {
    expect(decide(state, T)).toEqual({ changes: [], reply: null, isOurs: false })
  })

  test('ignores a word that is older than the scan', () => {
    expect(decide(scanned(), T - 1)).toEqual({ changes: [], reply: null })
  })
})

describe('scanToConfirm', () => {
  const numbered = (id: number, more?: Partial<PendingConfirmation>): Ticket => ({ ...ticket(scanned(more)), id })
  const rows: { name: string; unconfirmed: Ticket[]; question?: number; later?: number; found: number | undefined }[] =
    [
      { name: 'returns the only open question for a typed word', unconfirmed: [numbered(1)], found: 1 },
      { name: 'returns nothing for a typed word without a question', unconfirmed: [], found: undefined },
      {
        name: 'returns nothing for a typed word while two questions are open',
        unconfirmed: [numbered(2), numbered(1)],
        found: undefined,
      },
      {
        name: 'returns the only open question for a typed word, although an expired question is stored',
        unconfirmed: [numbered(2, { until: NOW }), numbered(1, { until: NOW + 1 })],
        found: 1,
      },
      {
        name: 'returns the latest question for a typed word if all questions have expired',
        unconfirmed: [numbered(2), numbered(1)],
        later: 120_000,
        found: 2,
      },
      {
        name: 'returns the question of a tap while two questions are open',
        unconfirmed: [numbered(2), numbered(1)],
        question: 1,
        found: 1,
      },
      {
        name: 'returns the expired question of a tap',
        unconfirmed: [numbered(1, { until: NOW })],
        question: 1,
        found: 1,
      },
      { name: 'returns no other question for a tap', unconfirmed: [numbered(2)], question: 1, found: undefined },
      {
        name: 'returns no scan that the digits confirm',
        unconfirmed: [numbered(1, { confirm: 'code', digits: '4821' })],
        question: 1,
        found: undefined,
      },
      { name: 'returns no ticket in another state', unconfirmed: [ticket()], question: 9, found: undefined },
    ]
  test.each(rows)('$name', ({ unconfirmed, question, later = 0, found }) => {
    expect(scanToConfirm(unconfirmed, question, NOW + later)?.id).toBe(found)
  })
})

describe('decideLateTap', () => {
  const tapper = { appId: 'wx1', openid: 'o1' }
  const used: TicketState = { name: 'used', delivery: null }
  const rows: { name: string; found: { ticket: Ticket; user: User } | undefined; reply: object }[] = [
    {
      name: 'the question that bound this WeChat',
      found: { ticket: ticket(used), user: user(1, binding('o1')) },
      reply: { name: 'already_bound', lang: 'en', label: 'a***', user: 1 },
    },
    {
      name: 'a question that was cancelled',
      found: { ticket: ticket(used), user: user(1) },
      reply: { name: 'expired', lang: 'en', label: null },
    },
    {
      name: 'a question that bound another WeChat',
      found: { ticket: ticket(used), user: user(1, binding('o2')) },
      reply: { name: 'expired', lang: 'en', label: null },
    },
    {
      name: 'a ticket that was replaced',
      found: { ticket: ticket({ name: 'replaced' }), user: user(1, binding('o1')) },
      reply: { name: 'expired', lang: 'en', label: null },
    },
    { name: 'no ticket', found: undefined, reply: { name: 'expired', lang: 'zh-TW', label: null } },
  ]
  test.each(rows)('answers a tap that names $name, and changes nothing', ({ found, reply }) => {
    expect(decideLateTap(tapper, found, 'zh-TW')).toEqual({ changes: [], reply })
  })
})

describe('scansAwaitingDigits', () => {
  test('returns the scans under CONFIRM=code that have not expired', () => {
    const code = (id: number, until: number): Ticket => ({ ...ticket(scanned({ confirm: 'code', until })), id })
    const all = [code(3, NOW + 1), code(2, NOW), code(1, NOW + 2), ticket(scanned()), ticket()]
    expect(scansAwaitingDigits(all, NOW).map(({ id }) => id)).toEqual([3, 1])
  })
})
