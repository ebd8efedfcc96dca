import { describe, expect, test } from 'vitest'
import { decideProof, decideReturn } from '../../../server/binding/oauth-rules.ts'
import type { Authorization, Binding, User } from '../../../server/store/store.ts'

const NOW = 1_700_000_000_000
const rules = { conflict: 'reject', confirm: 'code', unsubscribe: 'unbind' } as const
const labels = { label: 'a***@x.com', lang: 'en' } as const

const authorization = (more: Partial<Authorization> = {}): Authorization => ({
  id: 7,
  user: 1,
  appId: 'wx1',
  returnUrl: 'https://www.example.com/',
  createdAt: NOW - 2_000,
  until: NOW + 1,
  state: { name: 'proven', openid: 'o1' },
  ...more,
})

const bindingOf = (openid: string, eventTime: number): Binding => ({
  appId: 'wx1',
  openid,
  unionid: null,
  subscribed: true,
  boundAt: NOW,
  eventTime,
  label: null,
  lang: 'zh-CN',
})

const user = (id: number, binding: Binding | null = null): User => ({
  id,
  identity: { tenant: 'default', account: 'acme', userId: `u${id}` },
  version: 1,
  reason: null,
  binding,
  confirmation: null,
  refusedScan: null,
})

const facts = (more: object = {}) => ({
  authorization: authorization(),
  user: user(1),
  owners: [] as User[],
  unfollowedAt: undefined,
  ...more,
})

const typesOf = ({ changes }: { changes: { type: string }[] }) => changes.map(({ type }) => type)

describe('decideReturn', () => {
  const requested = authorization({ state: { name: 'requested' } })

  test('asks WeChat once for each authorization, and only before the authorization expires', () => {
    expect(decideReturn(requested, true, NOW)).toEqual({ changes: [{ type: 'exchange', authorization: 7 }] })
    for (const used of [
      authorization({ state: { name: 'exchanging' } }),
      authorization(),
      authorization({ state: { name: 'closed' } }),
    ]) {
      expect(decideReturn(used, true, NOW)).toEqual({ changes: [], refusal: 'PROOF_EXPIRED' })
    }
    expect(decideReturn(requested, true, NOW + 1)).toEqual({ changes: [], refusal: 'PROOF_EXPIRED' })
  })

  test('closes an authorization without a code', () => {
    expect(decideReturn(requested, false, NOW)).toMatchObject({
      changes: [{ type: 'closeAuthorization' }],
      refusal: 'DECLINED',
    })
  })
})

describe('decideProof', () => {
  test('binds a user who is not known to follow, whatever CONFIRM says', () => {
    const decision = decideProof(facts(), labels, rules, NOW)
    expect(typesOf(decision)).toEqual(['closeAuthorization', 'closeTickets', 'bind'])
    expect(decision.changes.at(-1)).toMatchObject({
      reason: 'oauth',
      shownAt: NOW - 2_000,
      binding: { openid: 'o1', subscribed: false, ...labels },
    })
  })

  test.each([
    ['PROOF_EXPIRED', { authorization: undefined }, []],
    ['PROOF_EXPIRED', { authorization: authorization({ state: { name: 'closed' } }) }, []],
    ['PROOF_EXPIRED', { authorization: authorization({ until: NOW }) }, ['closeAuthorization']],
    ['FORBIDDEN', { user: user(2) }, ['closeAuthorization']],
    ['FORBIDDEN', { user: user(0) }, ['closeAuthorization']],
    ['CONFLICT', { owners: [user(2, bindingOf('o1', 5))] }, ['closeAuthorization', 'refuse']],
  ])('refuses the proof with %s, and binds nobody', (refusal, more, types) => {
    const decision = decideProof(facts(more), labels, rules, NOW)
    expect([decision.refusal, typesOf(decision)]).toEqual([refusal, types])
  })

  test('unbinds the bindings that it replaces', () => {
    const replaced = facts({ user: user(1, bindingOf('o9', 5)), owners: [user(2, bindingOf('o1', 5))] })
    const { changes } = decideProof(replaced, labels, { ...rules, conflict: 'replace' }, NOW)
    expect(changes.filter(({ type }) => type === 'unbind')).toMatchObject([{ user: 2 }, { user: 1 }])
  })

  test('closes only the authorization if this WeChat is bound to this user', () => {
    const decision = decideProof(facts({ user: user(1, bindingOf('o1', 5)) }), labels, rules, NOW)
    expect([decision.refusal, typesOf(decision)]).toEqual([undefined, ['closeAuthorization']])
  })

  test.each([
    [0, {}],
    [8, { unfollowedAt: 8 }],
    [9, { unfollowedAt: 8, owners: [user(2, bindingOf('o1', 9))] }],
  ])('takes %i as the time of the newest event of the openid, not the clock of the server', (eventTime, more) => {
    const { changes } = decideProof(facts(more), labels, { ...rules, conflict: 'allow' }, NOW)
    expect(changes.at(-1)).toMatchObject({ type: 'bind', binding: { eventTime } })
  })
})
