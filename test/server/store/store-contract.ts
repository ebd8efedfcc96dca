/** The tests that every engine must pass. Each engine's test file calls `storeContract` with a function that opens an empty store. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { BindError } from '../../../server/errors.ts'
import { type BindingFilter, positionOf, type WalkPosition } from '../../../server/store/binding-walk.ts'
import type { FeedPage, FeedQuery } from '../../../server/store/event-feed.ts'
import type {
  Binding,
  CommitNotice,
  Identity,
  NewTicket,
  PendingConfirmation,
  Store,
} from '../../../server/store/store.ts'
import type { UnbindReason } from '../../../server/wire.ts'

const amy: Identity = { tenant: 'default', account: 'acme', userId: 'amy' }
/** A user of a tenant without a webhook. */
const ann: Identity = { tenant: 'quiet', account: 'acme', userId: 'ann' }
const NOW = 1_700_000_000_000

const newTicket = (name: string, more: Partial<NewTicket> = {}): NewTicket => ({
  appId: 'wx1',
  scene: `wb1_${name}`,
  code: name.toUpperCase(),
  wechatTicket: `ticket-${name}`,
  url: `http://weixin.qq.com/q/${name}`,
  label: null,
  lang: 'zh-CN',
  createdAt: NOW,
  expiresAt: NOW + 120_000,
  ...more,
})

const binding = (openid: string, more: Partial<Binding> = {}): Binding => ({
  appId: 'wx1',
  openid,
  unionid: null,
  subscribed: true,
  boundAt: NOW,
  eventTime: NOW / 1000,
  label: null,
  lang: 'en',
  ...more,
})

const confirmation: PendingConfirmation = {
  confirm: 'code',
  openid: 'o1',
  eventTime: NOW / 1000,
  until: NOW + 120_000,
  digits: '4821',
  triesLeft: 3,
  reason: 'scan',
}

export function storeContract(makeStore: () => Promise<Store>) {
  describe('Store', () => {
    let store: Store
    beforeEach(async () => {
      store = await makeStore()
    })
    afterEach(() => store.close())

    const add = (name: string, more?: Partial<NewTicket>, identity = amy, replaces = false) =>
      store.write((tx) => tx.addTicket(identity, newTicket(name, more), replaces))

    const bind = async (identity: Identity, openid: string, more?: Partial<Binding>) => {
      const ticket = await add(`${identity.tenant}${identity.account}${identity.userId}${openid}`, {}, identity)
      const change = {
        type: 'bind',
        user: ticket.user,
        binding: binding(openid, more),
        reason: 'scan',
        at: NOW,
      } as const
      await store.write((tx) => tx.apply(change))
      return ticket.user
    }

    const statesOf = (...scenes: string[]) =>
      store.write(function* (tx) {
        const names: unknown[] = []
        for (const scene of scenes) names.push((yield* tx.ticketByScene(scene))?.ticket.state.name)
        return names
      })

    test('counts the bindings of other accounts than the given one', async () => {
      expect(await store.countOtherBindings('wx1')).toBe(0)
      await bind(amy, 'o1')
      await bind({ ...amy, userId: 'bo' }, 'o2', { appId: 'wx2' })
      await bind({ ...amy, userId: 'cy' }, 'o3', { appId: 'wx0' })
      expect([await store.countOtherBindings('wx1'), await store.countOtherBindings('wx3')]).toEqual([2, 3])
    })

    test('tells how long the transaction took, once for each write, alone and with others', async () => {
      const times: number[] = []
      const write = (userId: string) =>
        store.write((tx) => tx.ensureUser({ ...amy, userId }), { onTook: (ms) => times.push(ms) })
      await write('a')
      await Promise.all(['b', 'c'].map(write))
      const refused = store.write(
        () => {
          throw new Error('of this unit')
        },
        { onTook: (ms) => times.push(ms) },
      )
      await expect(refused).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
      expect(times.map((ms) => ms > 0)).toEqual([true, true, true])
    })

    test('returns version 0 for a user that it does not know', async () => {
      expect(await store.user(amy)).toEqual({
        id: 0,
        identity: amy,
        version: 0,
        reason: null,
        binding: null,
        confirmation: null,
        refusedScan: null,
      })
    })

    test('reads only the version of a user, and whether a scan waits for its confirmation', async () => {
      expect(await store.userVersion(amy)).toEqual({ version: 0, isScanned: false })
      const ticket = await add('a')
      await store.write((tx) => tx.apply({ type: 'scan', ticket: ticket.id, user: ticket.user, confirmation }))
      expect(await store.userVersion(amy)).toEqual({ version: 1, isScanned: true })
      await bind(amy, 'o1')
      expect((await store.userVersion(amy)).version).toBe((await store.user(amy)).version)
    })

    test('finds a ticket by scene and by code, with the values that were added', async () => {
      const added = await add('a', { label: 'a***@x.com', lang: 'en' })
      expect(added).toMatchObject({
        ...newTicket('a', { label: 'a***@x.com', lang: 'en' }),
        state: { name: 'pending' },
      })
      const found = await store.write(function* (tx) {
        return [yield* tx.ticketByScene('wb1_a'), yield* tx.ticketByCode('wx1', 'A')]
      })
      const { scene, code, wechatTicket, url, ...ticket } = added
      const claimable = { ticket, user: await store.user(amy) }
      expect(found).toEqual([claimable, claimable])
      const missing = await store.write(function* (tx) {
        return [yield* tx.ticketByScene('wb1_b'), yield* tx.ticketByCode('wx2', 'A')]
      })
      expect(missing).toEqual([undefined, undefined])
    })

    test('finds the newest ticket that can be scanned', async () => {
      await add('a', { createdAt: NOW - 60_000, expiresAt: NOW + 60_000 })
      const newest = await add('b')
      expect(await store.liveTicket(amy, NOW)).toEqual(newest)
      expect(await store.liveTicket(amy, NOW + 120_000)).toBeUndefined()
      expect(await store.liveTicket({ ...amy, userId: 'bo' }, NOW)).toBeUndefined()
    })

    test('replaces the other tickets of the user only when the caller asks for it', async () => {
      await add('a')
      await add('b')
      await add('c', {}, { ...amy, userId: 'bo' })
      await add('d', {}, amy, true)
      const names = await statesOf('wb1_a', 'wb1_b', 'wb1_c')
      expect(names).toEqual(['replaced', 'replaced', 'pending'])
    })

    test('raises the version by 1 for each bind and unbind', async () => {
      const user = await bind(amy, 'o1', { label: 'a***', unionid: 'u1' })
      expect(await store.user(amy)).toMatchObject({
        id: user,
        version: 1,
        reason: null,
        binding: binding('o1', { label: 'a***', unionid: 'u1' }),
      })
      await store.write((tx) => tx.apply({ type: 'unbind', user, reason: 'chat', at: NOW }))
      expect(await store.user(amy)).toMatchObject({ version: 2, reason: 'chat', binding: null })
      await bind(amy, 'o2')
      expect(await store.user(amy)).toMatchObject({ version: 3, reason: null, binding: binding('o2') })
    })

    test('distinguishes ids byte by byte, and users of different tenants', async () => {
      const ids: Identity[] = [
        { tenant: 'default', account: 'A', userId: '1' },
        { tenant: 'default', account: 'A1', userId: '' },
        { tenant: 'default', account: 'a', userId: '1' },
        { tenant: 'other', account: 'A', userId: '1' },
        { tenant: 'default', account: 'é', userId: '1' },
        { tenant: 'default', account: 'e\u0301', userId: '1' },
        { tenant: 'default', account: '账号😀', userId: "'; drop table users; --" },
      ]
      for (const [i, identity] of ids.entries()) await bind(identity, `o${i}`)
      const openids = await Promise.all(ids.map(async (identity) => (await store.user(identity)).binding?.openid))
      expect(openids).toEqual(['o0', 'o1', 'o2', 'o3', 'o4', 'o5', 'o6'])
    })

    test('finds every user that an openid is bound to, the latest first', async () => {
      await bind(amy, 'o1', { boundAt: NOW })
      await bind({ ...amy, tenant: 'other' }, 'o1', { boundAt: NOW + 1 })
      await bind({ ...amy, userId: 'bo' }, 'o1', { appId: 'wx2' })
      const owners = await store.write((tx) => tx.ownersOf('wx1', 'o1'))
      expect(owners.map(({ identity }) => identity.tenant)).toEqual(['other', 'default'])
    })

    test('sets `subscribed` of a binding, and raises the version only when it has changed', async () => {
      const user = await bind(amy, 'o1')
      await store.write((tx) => tx.apply({ type: 'setSubscribed', user, subscribed: false, eventTime: 5, at: NOW }))
      expect(await store.user(amy)).toMatchObject({ version: 2, binding: { subscribed: false, eventTime: 5 } })
      await store.write((tx) => tx.apply({ type: 'setSubscribed', user, subscribed: false, eventTime: 6, at: NOW }))
      expect(await store.user(amy)).toMatchObject({ version: 2, binding: { subscribed: false, eventTime: 6 } })
    })

    test('keeps a scan and counts its tries until the ticket is closed, and then deletes its openid', async () => {
      const ticket = await add('a')
      await store.write((tx) => tx.apply({ type: 'scan', ticket: ticket.id, user: ticket.user, confirmation }))
      expect(await store.user(amy)).toMatchObject({ version: 1, confirmation })
      expect(await store.write((tx) => tx.scannedBy('wx1', 'o1'))).toMatchObject([{ id: ticket.id }])
      await store.write((tx) => tx.apply({ type: 'wrongDigits', ticket: ticket.id, triesLeft: 2 }))
      expect((await store.user(amy)).confirmation?.triesLeft).toBe(2)
      await store.write((tx) =>
        tx.apply({ type: 'close', ticket: ticket.id, user: ticket.user, as: 'dead', bumpsVersion: true }),
      )
      expect(await store.user(amy)).toMatchObject({ version: 2, confirmation: null })
      expect(await store.write((tx) => tx.scannedBy('wx1', 'o1'))).toEqual([])
    })

    test('closes the other tickets of a user, and no ticket of another user', async () => {
      const a = await add('a')
      await add('b')
      await add('c', {}, { ...amy, userId: 'bo' })
      await store.write((tx) => tx.apply({ type: 'closeTickets', user: a.user, ticket: a.id, bumpsVersion: false }))
      const names = await statesOf('wb1_a', 'wb1_b', 'wb1_c')
      expect(names).toEqual(['pending', 'replaced', 'pending'])
    })

    test('closes every ticket of a user, and raises the version only if it closed one', async () => {
      const { id, user } = await add('a')
      await add('b')
      await store.write((tx) => tx.apply({ type: 'scan', ticket: id, user, confirmation }))
      const close = { type: 'closeTickets', user, bumpsVersion: true } as const
      await store.write((tx) => tx.apply(close))
      expect(await statesOf('wb1_a', 'wb1_b')).toEqual(['replaced', 'replaced'])
      expect(await store.user(amy)).toMatchObject({ version: 2, confirmation: null })
      await store.write((tx) => tx.apply(close))
      expect((await store.user(amy)).version).toBe(2)
    })

    test('closes every ticket of a user when it unbinds the user, and raises the version once', async () => {
      const user = await bind(amy, 'o1')
      const { id } = await add('a')
      await add('b')
      await add('c', {}, { ...amy, userId: 'bo' })
      await store.write((tx) => tx.apply({ type: 'scan', ticket: id, user, confirmation }))
      await store.write((tx) => tx.apply({ type: 'unbind', user, reason: 'disconnect', at: NOW }))
      expect(await statesOf('wb1_a', 'wb1_b', 'wb1_c')).toEqual(['replaced', 'replaced', 'pending'])
      expect(await store.user(amy)).toMatchObject({ version: 3, binding: null, confirmation: null })
    })

    test('keeps the newest unfollow of an openid, even if an older one arrives later', async () => {
      const recordUnfollow = (eventTime: number) =>
        store.write((tx) => tx.apply({ type: 'recordUnfollow', appId: 'wx1', openid: 'o1', eventTime, until: NOW }))
      const unfollowedAt = () => store.write((tx) => tx.unfollowedAt('wx1', 'o1'))
      expect(await unfollowedAt()).toBeUndefined()
      await recordUnfollow(10)
      await recordUnfollow(20)
      await recordUnfollow(15)
      expect(await unfollowedAt()).toBe(20)
    })

    test('returns the same scan from every query when two scans have the same millisecond', async () => {
      const [first, second] = [await add('a'), await add('b')]
      for (const ticket of [second, first]) {
        const scan = { ...confirmation, openid: `o-${ticket.code}` }
        await store.write((tx) => tx.apply({ type: 'scan', ticket: ticket.id, user: ticket.user, confirmation: scan }))
      }
      const [scanned] = await store.write((tx) => tx.scannedOf(first.user))
      const openid = 'o-B'
      expect(scanned).toMatchObject({ id: second.id, state: { confirmation: { openid } } })
      expect(await store.user(amy)).toMatchObject({ confirmation: { openid } })
    })

    test('finds the scans of all users whose time to confirm is over, at most as many as asked for', async () => {
      const scan = async (code: string, until: number, userId: string) => {
        const { id, user } = await add(code, {}, { ...amy, userId })
        const scanned = { ...confirmation, openid: `o-${code}`, until }
        await store.write((tx) => tx.apply({ type: 'scan', ticket: id, user, confirmation: scanned }))
        return id
      }
      const early = await scan('a', NOW, 'amy')
      const late = await scan('b', NOW + 1, 'bo')
      const closed = await scan('c', NOW, 'cy')
      const { user } = await store.write((tx) => tx.scannedBy('wx1', 'o-c')).then(([ticket]) => ticket!)
      await store.write((tx) => tx.apply({ type: 'close', ticket: closed, user, as: 'used', bumpsVersion: true }))
      await add('d')
      const found = async (until: number, limit: number) =>
        (await store.write((tx) => tx.unconfirmedUntil(until, limit))).map(({ id }) => id)
      expect(await found(NOW - 1, 10)).toEqual([])
      expect(await found(NOW, 10)).toEqual([early])
      expect(await found(NOW + 1, 10)).toEqual([late, early])
      expect(await found(NOW + 1, 1)).toHaveLength(1)
    })

    test('orders the scanned tickets of an openid by their scans, the latest first', async () => {
      const early = await add('a', { createdAt: NOW })
      const late = await add('b', { createdAt: NOW - 1000 }, { ...amy, userId: 'bo' })
      const scanUntil = (ticket: { id: number; user: number }, until: number) =>
        store.write((tx) =>
          tx.apply({ type: 'scan', ticket: ticket.id, user: ticket.user, confirmation: { ...confirmation, until } }),
        )
      await scanUntil(early, NOW + 1000)
      await scanUntil(late, NOW + 2000)
      const scanned = await store.write((tx) => tx.scannedBy('wx1', 'o1'))
      expect(scanned.map(({ id }) => id)).toEqual([late.id, early.id])
    })

    test('raises the version when a new ticket cancels a scan, and not when it replaces a pending ticket', async () => {
      const ticket = await add('a')
      await add('b', {}, amy, true)
      expect((await store.user(amy)).version).toBe(0)
      await store.write((tx) => tx.apply({ type: 'scan', ticket: ticket.id, user: ticket.user, confirmation }))
      await add('c', {}, amy, true)
      expect(await store.user(amy)).toMatchObject({ version: 2, confirmation: null })
    })

    test('relabels a ticket that can still be scanned', async () => {
      const ticket = await add('a')
      await store.write((tx) => tx.apply({ type: 'relabel', ticket: ticket.id, label: 'b***', lang: 'en' }))
      expect(await store.write((tx) => tx.ticketByScene('wb1_a'))).toMatchObject({
        ticket: { label: 'b***', lang: 'en' },
      })
    })

    test('keeps the last refused scan with the version that it has caused', async () => {
      const { user } = await add('a')
      const refuse = (notice: 'conflict' | 'expired_scan', at: number) =>
        store.write((tx) => tx.apply({ type: 'refuse', user, notice, at }))
      await refuse('conflict', NOW)
      await refuse('expired_scan', NOW + 1)
      const refusedScan = { notice: 'expired_scan', version: 2, at: NOW + 1 }
      expect(await store.user(amy)).toMatchObject({ version: 2, refusedScan })
      expect(await store.write((tx) => tx.userOf(amy))).toMatchObject({ version: 2, refusedScan })
    })

    test('consumes a jti once, even if 20 units try at the same time', async () => {
      const results = await Promise.all(
        Array.from({ length: 20 }, () => store.write((tx) => tx.consumeJti('k1|j1', NOW))),
      )
      expect(results.filter((isFirst) => isFirst)).toHaveLength(1)
      expect(await store.write((tx) => tx.consumeJti('k1|j2', NOW))).toBe(true)
    })

    test('finds the reply to a delivery, and null for a delivery without a reply', async () => {
      await store.write(function* (tx) {
        yield* tx.recordDelivery('d1', '已绑定', NOW)
        yield* tx.recordDelivery('d2', null, NOW)
      })
      const replies = await store.write(function* (tx) {
        return [yield* tx.findDelivery('d1'), yield* tx.findDelivery('d2'), yield* tx.findDelivery('d3')]
      })
      expect(replies).toEqual(['已绑定', null, undefined])
    })

    test('counts wrong codes since a time, and finds a pending ticket', async () => {
      const ticket = await add('a')
      await store.write((tx) => tx.apply({ type: 'wrongCode', openid: 'o1', at: NOW }))
      const counts = await store.write(function* (tx) {
        return [
          yield* tx.wrongCodesSince('o1', NOW - 1),
          yield* tx.wrongCodesSince('o1', NOW),
          yield* tx.wrongCodesSince('o2', NOW - 1),
        ]
      })
      expect(counts).toEqual([1, 0, 0])
      expect(await store.write((tx) => tx.isAnyPending('wx1', ticket.expiresAt - 1))).toBe(true)
      expect(await store.write((tx) => tx.isAnyPending('wx1', ticket.expiresAt))).toBe(false)
    })

    test('counts attempts up to the limit of a window, which begins with its first attempt', async () => {
      const countAt = (now: number, limit = 2, scope = 's') =>
        store.write((tx) => tx.countAttempt(scope, limit, now + 1000, now))
      const windowAt = (now: number) => store.write((tx) => tx.rateWindow('s', now))
      expect(await windowAt(NOW)).toBeUndefined()
      expect([await countAt(NOW), await countAt(NOW + 400), await countAt(NOW + 999)]).toEqual([true, true, false])
      expect(await windowAt(NOW + 999)).toEqual({ scope: 's', count: 2, until: NOW + 1000 })
      expect(await windowAt(NOW + 1000)).toBeUndefined()
      expect([await countAt(NOW + 999, 3), await countAt(NOW + 999, 2, 'other')]).toEqual([true, true])
      expect(await countAt(NOW + 1000)).toBe(true)
      expect(await windowAt(NOW + 1000)).toEqual({ scope: 's', count: 1, until: NOW + 2000 })
    })

    test('counts only as many attempts as a window allows, even if 20 units try at the same time', async () => {
      const results = await Promise.all(
        Array.from({ length: 20 }, (_, i) =>
          i % 2
            ? store.write((tx) => tx.countAttempt('s', 7, NOW + 1000, NOW))
            : store.countAttempt('s', 7, NOW + 1000, NOW),
        ),
      )
      expect(results.filter((isCounted) => isCounted)).toHaveLength(7)
    })

    test('adds a user once, and finds a ticket by its id', async () => {
      const ids = [await store.write((tx) => tx.ensureUser(amy)), await store.write((tx) => tx.ensureUser(amy))]
      const added = await add('a')
      expect(ids).toEqual([added.user, added.user])
      const found = await store.write((tx) => tx.ticketById(added.id))
      expect([found?.ticket.id, found?.user.identity]).toEqual([added.id, amy])
      expect(await store.write((tx) => tx.ticketById(added.id + 1))).toBeUndefined()
    })

    describe('a list of all bindings', () => {
      const filters = {
        account: { account: 'acme' },
        openid: { openid: 'o2' },
        unionid: { unionid: 'u3' },
        'time and account': { account: 'acme', boundSince: NOW + 1, boundUntil: NOW + 3 },
        appid: { appId: 'wx2' },
      }

      const walk = async (filter: BindingFilter, limit: number) => {
        const names: string[] = []
        for (let after: WalkPosition | undefined; ; ) {
          const page = await store.listBindings(filter, after, limit)
          names.push(...page.map(({ identity }) => identity.userId))
          if (page.length < limit) return names
          after = positionOf(page.at(-1)!)
        }
      }

      beforeEach(async () => {
        await bind(amy, 'o1', { boundAt: NOW + 2, label: 'a***@x.com' })
        await bind({ ...amy, userId: 'bo' }, 'o2', { boundAt: NOW + 1 })
        await bind({ ...amy, account: 'other', userId: 'cy' }, 'o3', { boundAt: NOW + 1, unionid: 'u3' })
        await bind({ ...amy, userId: 'dee' }, 'o2', { boundAt: NOW + 3, appId: 'wx2' })
        await bind({ ...amy, tenant: 'shop', userId: 'eve' }, 'o2', { boundAt: NOW })
      })

      test('returns each binding of the tenant once, in the order of their times, in pages of any size', async () => {
        for (const limit of [1, 2, 3, 500]) {
          expect(await walk({ tenant: 'default' }, limit)).toEqual(['bo', 'cy', 'amy', 'dee'])
        }
        expect(await walk({}, 2)).toEqual(['bo', 'cy', 'amy', 'dee', 'eve'])
        const [first] = await store.listBindings(
          { tenant: 'default', account: 'acme', boundSince: NOW + 2 },
          undefined,
          1,
        )
        expect(first).toEqual({
          id: expect.any(Number),
          identity: amy,
          version: 1,
          binding: binding('o1', { boundAt: NOW + 2, label: 'a***@x.com' }),
        })
      })

      test.each([
        ['account', ['bo', 'amy', 'dee']],
        ['openid', ['bo', 'dee']],
        ['unionid', ['cy']],
        ['time and account', ['bo', 'amy']],
        ['appid', ['dee']],
      ] as const)('finds bindings by %s', async (name, found) => {
        for (const limit of [1, 500]) expect(await walk({ tenant: 'default', ...filters[name] }, limit)).toEqual(found)
        expect(await walk({ tenant: 'none', ...filters[name] }, 500)).toEqual([])
      })
    })

    test('reads several users in their order, known or not', async () => {
      await bind(amy, 'o1')
      const bo = { ...amy, userId: 'bo' }
      const strangers = Array.from({ length: 20 }, (_, i) => ({ ...amy, userId: `u${i}` }))
      const users = await store.users([bo, amy, bo, ...strangers])
      expect(users.map(({ identity, version }) => [identity.userId, version]).slice(0, 4)).toEqual([
        ['bo', 0],
        ['amy', 1],
        ['bo', 0],
        ['u0', 0],
      ])
      expect(users[1]).toEqual(await store.user(amy))
    })

    describe('the feed of events', () => {
      const reasons = (page: FeedPage | 'gone') =>
        page === 'gone' ? page : page.events.map(({ identity, type, reason }) => `${identity.userId} ${type} ${reason}`)

      const follow = async (query: Partial<FeedQuery> = {}) => {
        const page = await store.events({ tenant: 'default', after: undefined, limit: 100, ...query })
        if (page === 'gone') throw new Error('gone')
        return page
      }

      const unbindUser = (user: number, reason: UnbindReason = 'chat', at = NOW) =>
        store.write((tx) => tx.apply({ type: 'unbind', user, reason, at }))

      test('returns every event once, with the ids of the current binding', async () => {
        const start = await follow()
        expect(start).toMatchObject({ events: [], hasMore: false })
        const user = await bind(amy, 'o1')
        await bind({ ...amy, tenant: 'shop' }, 'o1')
        await bind({ ...amy, userId: 'bo' }, 'o2')
        const first = await follow({ limit: 1 })
        expect(first).toMatchObject({ hasMore: true, events: [{ identity: amy, openid: 'o1', version: 1, at: NOW }] })
        await store.unionids.save([{ user, openid: 'o1', unionid: 'u1' }], NOW + 1)
        const second = await follow({ after: first.next })
        expect(reasons(second)).toEqual(['bo bound scan', 'amy updated unionid'])
        expect(second.events[1]).toMatchObject({ version: 2, openid: 'o1', unionid: 'u1', at: NOW + 1 })
        expect(second.hasMore).toBe(false)
        await unbindUser(user)
        const third = await follow({ after: second.next })
        expect(third.events).toMatchObject([{ type: 'unbound', reason: 'chat', version: 3, openid: null }])
        expect(await follow({ after: third.next })).toEqual({ events: [], next: third.next, hasMore: false })
        expect(reasons(await follow({ after: start.next }))).toHaveLength(4)
        expect((await follow()).events[0]).toMatchObject({ openid: null })
        expect(new Set((await follow()).events.map(({ uid }) => uid)).size).toBe(4)
      })

      test('returns the events of one user', async () => {
        await bind({ ...amy, userId: 'bo' }, 'o2')
        await bind(amy, 'o1')
        expect(reasons(await follow({ user: amy }))).toEqual(['amy bound scan'])
        const nobody = await follow({ user: { ...amy, userId: 'no' } })
        expect(nobody.events).toEqual([])
        expect(reasons(await follow())).toHaveLength(2)
        await bind({ ...amy, userId: 'no' }, 'o3')
        expect(reasons(await follow({ user: { ...amy, userId: 'no' }, after: nobody.next }))).toEqual(['no bound scan'])
      })

      test('returns `gone` when events after the position have expired, even if another reader has read them', async () => {
        const quiet = { tenant: 'quiet' }
        const LATER = NOW + 91 * 86_400_000
        const start = await follow(quiet)
        const user = await bind(ann, 'o1')
        const first = await follow(quiet)
        await unbindUser(user)
        await store.sweep(LATER)
        expect(await store.events({ tenant: 'quiet', after: first.next, limit: 10 })).toBe('gone')
        expect(await store.events({ ...quiet, after: start.next, limit: 10 })).toBe('gone')
        const second = await follow(quiet)
        expect(second.events).toEqual([])
        await bind(ann, 'o1')
        await follow(quiet)
        await bind({ ...ann, userId: 'bo' }, 'o2')
        const last = await follow(quiet)
        await store.sweep(LATER)
        expect(await store.events({ tenant: 'quiet', after: second.next, limit: 10 })).toBe('gone')
        expect(await follow({ ...quiet, after: last.next })).toMatchObject({ events: [] })
      })

      test('returns `gone` for the position in an empty feed, when the first events have expired unread', async () => {
        const quiet = { tenant: 'quiet' }
        const start = await follow(quiet)
        await bind(ann, 'o1')
        await store.sweep(NOW + 91 * 86_400_000)
        expect(await store.events({ ...quiet, after: start.next, limit: 10 })).toBe('gone')
        expect(await follow(quiet)).toMatchObject({ events: [] })
      })

      test('returns `gone` for a position from before the restore of an older store', async () => {
        const quiet = { tenant: 'quiet' }
        await bind(ann, 'o1')
        const { next } = await follow(quiet)
        const beyond = { ...next, position: next.position + 1 }
        expect(await store.events({ tenant: 'quiet', after: beyond, limit: 10 })).toBe('gone')
        expect(await store.events({ tenant: 'quiet', after: { ...next, uid: 'other' }, limit: 10 })).toBe('gone')
      })
    })

    describe('an erasure', () => {
      const erase = (identity: Identity, at = NOW) =>
        store.write(function* (tx) {
          const user = yield* tx.userOf(identity)
          if (user.binding) yield* tx.apply({ type: 'unbind', user: user.id, reason: 'erased', at })
          yield* tx.apply({ type: 'erase', user: user.id, at })
        })

      const feed = async () => {
        const page = await store.events({ tenant: 'quiet', after: undefined, limit: 100 })
        return page === 'gone' ? [] : page.events.map(({ identity, reason }) => `${identity.userId} ${reason}`)
      }

      test('deletes the history and the tickets at once, and the last event with the identity later', async () => {
        await bind({ ...ann, userId: 'bo' }, 'o2')
        await bind(ann, 'o1')
        await add('left', {}, ann)
        await erase(ann)
        expect(await feed()).toEqual(['bo scan', 'ann erased'])
        expect(await store.userRecord(ann)).toMatchObject({ user: { version: 2, reason: 'erased' }, tickets: [] })
        await store.purgeErased(NOW - 1)
        expect(await feed()).toEqual(['bo scan', 'ann erased'])
        await store.purgeErased(NOW)
        expect(await feed()).toEqual(['bo scan'])
        expect(await store.userRecord(ann)).toBeUndefined()
        expect(await statesOf('wb1_left')).toEqual([undefined])
      })

      test('keeps the notices until the webhook has accepted them or the sender has given them up', async () => {
        await bind(amy, 'o1')
        await erase(amy)
        const names = async () => (await store.outbox.list('waiting', 9)).map(({ reason, openid }) => [reason, openid])
        const both = [
          ['scan', null],
          ['erased', null],
        ]
        await store.purgeErased(NOW + 60_000)
        expect(await names()).toEqual(both)
        await store.outbox.dispatch(NOW + 60_000, () => ['shop'], 9)
        await store.purgeErased(NOW + 60_000)
        expect(await names()).toEqual(both)
        const [bound, erased] = await store.outbox.list('waiting', 9)
        await store.outbox.giveUp(bound!.id, { status: 500, error: null })
        await store.purgeErased(NOW + 60_000)
        expect(await names()).toEqual([['erased', null]])
        expect(await store.outbox.list('failed', 9)).toEqual([])
        expect(await store.userRecord(amy)).toMatchObject({ notices: [{ state: 'waiting' }] })
        await store.outbox.delivered([erased!.id])
        await store.purgeErased(NOW + 60_000)
        expect(await store.userRecord(amy)).toBeUndefined()
        expect(await store.user(amy)).toMatchObject({ id: 0, version: 2 })
      })

      test('does not wait for a receiver that answered 410 or is no longer configured', async () => {
        const bo = { ...amy, userId: 'bo' }
        for (const identity of [amy, bo]) await bind(identity, 'o1')
        for (const identity of [amy, bo]) await erase(identity)
        await store.outbox.dispatch(NOW, () => ['shop'], 9)
        await store.purgeErased(NOW + 7 * 86_400_000 - 1)
        expect(await store.userRecord(amy)).toBeDefined()
        await store.purgeErased(NOW + 7 * 86_400_000)
        expect(await store.userRecord(amy)).toBeUndefined()
        await bind(amy, 'o1')
        await erase(amy)
        await store.outbox.dispatch(NOW, () => ['gone'], 9)
        const failure = { status: 410, error: null }
        await store.outbox.receiverFailed({ name: 'gone', now: NOW, failure, isGone: true, pausedUntil: null })
        await store.purgeErased(NOW)
        expect(await store.userRecord(amy)).toBeUndefined()
        expect(await store.outbox.list('waiting', 9)).toEqual([])
      })

      test('keeps the version: later versions of the same ids are greater, even after a second erasure', async () => {
        let version = 0
        for (let round = 0; round < 3; round++) {
          await bind(ann, `o${round}`)
          expect((await store.user(ann)).version).toBeGreaterThan(version)
          await erase(ann)
          await store.purgeErased(NOW)
          version = (await store.user(ann)).version
          expect(version).toBe(2 * (round + 1))
          expect((await store.users([ann]))[0]).toEqual(await store.user(ann))
          expect(await store.userVersion(ann)).toEqual({ version, isScanned: false })
          expect(await store.write((tx) => tx.userOf(ann))).toEqual(await store.user(ann))
        }
        expect(await store.user({ ...ann, userId: 'bo' })).toMatchObject({ version: 0 })
      })

      test('of a user without a binding is complete at once', async () => {
        const { user } = await add('a', {}, ann)
        await store.write((tx) => tx.apply({ type: 'erase', user, at: NOW }))
        expect(await store.userRecord(ann)).toBeUndefined()
        expect(await store.user(ann)).toMatchObject({ id: 0, version: 0 })
      })

      test('keeps a user that was added again before it is complete', async () => {
        await bind(ann, 'o1')
        await erase(ann)
        await bind(ann, 'o2')
        await store.purgeErased(NOW)
        expect(await feed()).toEqual(['ann scan'])
        expect(await store.user(ann)).toMatchObject({ version: 3, binding: { openid: 'o2' } })
      })

      test('empties the recorded replies that have the label of the user', async () => {
        const user = await bind(ann, 'o1')
        await store.write(function* (tx) {
          yield* tx.recordDelivery('d1', 'bound to a***@x.com', NOW, user)
          yield* tx.recordDelivery('d2', 'bound to b***@x.com', NOW, user + 1)
        })
        await erase(ann)
        const replies = await store.write(function* (tx) {
          return [yield* tx.findDelivery('d1'), yield* tx.findDelivery('d2')]
        })
        expect(replies).toEqual([null, 'bound to b***@x.com'])
      })
    })

    test('moves a binding to another openid only if the old openid is the bound one', async () => {
      const user = await bind(amy, 'o1')
      const move = (openid: string) =>
        store.write((tx) =>
          tx.apply({
            type: 'moveOpenid',
            user,
            from: { appId: 'wx1', openid },
            to: { appId: 'wx2', openid: 'p1' },
            at: NOW,
          }),
        )
      await move('o9')
      expect(await store.user(amy)).toMatchObject({ version: 1, binding: { appId: 'wx1', openid: 'o1' } })
      await move('o1')
      expect(await store.user(amy)).toMatchObject({ version: 2, binding: { appId: 'wx2', openid: 'p1', boundAt: NOW } })
    })

    test('binds many users at once, with the same result as binding each user alone', async () => {
      const bo = { ...amy, userId: 'bo' }
      const { user } = await add('a', {}, bo)
      await bind(ann, 'o9')
      await store.write(function* (tx) {
        const { id } = yield* tx.userOf(ann)
        yield* tx.apply({ type: 'unbind', user: id, reason: 'erased', at: NOW })
        yield* tx.apply({ type: 'erase', user: id, at: NOW })
      })
      await store.purgeErased(NOW)
      const notices: CommitNotice[] = []
      store.onCommit((notice) => notices.push(notice))
      const one = binding('o1', { unionid: 'u1', label: '张三 "\'', subscribed: false })
      const bindings = [
        { identity: amy, binding: one },
        { identity: bo, binding: binding('o2') },
        { identity: ann, binding: binding('o3') },
      ]
      await store.write(function* (tx) {
        yield* tx.bindAll(bindings, 'import', NOW + 5)
        yield* tx.bindAll([], 'import', NOW + 5)
      })
      expect(await store.user(amy)).toMatchObject({ version: 1, reason: null, binding: one })
      expect(await store.user(bo)).toMatchObject({ id: user, version: 1, binding: { openid: 'o2', unionid: null } })
      expect(await store.user(ann)).toMatchObject({ version: 3, binding: { openid: 'o3' } })
      expect(notices).toContainEqual({ identity: bo, version: 1 })
      const history = (await store.userRecord(amy))?.history
      expect(history).toMatchObject([{ type: 'bound', reason: 'import', version: 1, at: NOW + 5 }])
      expect((await store.outbox.list('waiting', 9)).map(({ identity }) => identity.userId)).toEqual(['amy', 'bo'])
      expect(await store.listBindings({ account: 'acme' }, undefined, 9)).toHaveLength(3)
      expect((await store.unionids.claimDue(NOW, NOW + 1, 9)).map(({ openid }) => openid).sort()).toEqual(['o2', 'o3'])
    })

    test('finds many users, and the owners of many openids, at once', async () => {
      const bo = { ...amy, userId: 'bo' }
      await bind(amy, 'o1')
      await bind(bo, 'o2', { appId: 'wx2' })
      const names = [
        { appId: 'wx1', openid: 'o1' },
        { appId: 'wx1', openid: 'o2' },
        { appId: 'wx2', openid: 'o2' },
      ]
      const found = await store.write(function* (tx) {
        const owners = yield* tx.ownersOfAll(names)
        return { owners, users: yield* tx.usersOf([ann, bo, amy]) }
      })
      expect(found.owners.map(({ identity }) => identity.userId)).toEqual(['amy', 'bo'])
      expect(found.users.map(({ id, binding }) => [id === 0, binding?.openid])).toEqual([
        [true, undefined],
        [false, 'o2'],
        [false, 'o1'],
      ])
    })

    test('changes the epoch of a user when every ticket of the user is closed', async () => {
      const epoch = () => store.write((tx) => tx.ticketEpoch(amy))
      const { user } = await epoch()
      const seen = [(await epoch()).epoch]
      for (const type of ['closeTickets', 'unbind'] as const) {
        await store.write((tx) =>
          tx.apply(type === 'unbind' ? { type, user, reason: 'chat', at: NOW } : { type, user, bumpsVersion: true }),
        )
        seen.push((await epoch()).epoch)
      }
      await store.write((tx) => tx.apply({ type: 'closeTickets', user, ticket: 7, bumpsVersion: true }))
      seen.push((await epoch()).epoch)
      expect(seen).toEqual([0, 1, 2, 2])
    })

    test('returns a unionid request once, and returns it again when no answer was saved', async () => {
      const [a, b] = [await bind(amy, 'o1'), await bind({ ...amy, userId: 'bo' }, 'o2', { boundAt: NOW + 1 })]
      await bind({ ...amy, userId: 'cy' }, 'o3', { unionid: 'known' })
      expect(await store.unionids.claimDue(NOW, NOW + 60_000, 1)).toMatchObject([{ user: a, openid: 'o1' }])
      expect(await store.unionids.claimDue(NOW, NOW + 60_000, 9)).toEqual([])
      expect(await store.unionids.claimDue(NOW + 1, NOW + 60_001, 9)).toMatchObject([{ user: b, openid: 'o2' }])
      await store.unionids.save(
        [
          { user: a, openid: 'o1', unionid: null },
          { user: b, openid: 'o9', unionid: 'u9' },
        ],
        NOW,
      )
      expect(await store.unionids.claimDue(NOW + 90_000, NOW + 99_000, 9)).toMatchObject([{ user: b, openid: 'o2' }])
    })

    test('saves `follows` only for the binding that WeChat was asked about', async () => {
      const user = await bind(amy, 'o1', { subscribed: false })
      const [asked] = await store.unionids.claimDue(NOW, NOW + 60_000, 9)
      const { version, due } = asked!
      const answer = { user, openid: 'o1', unionid: null, follows: { version, due } }
      await store.unionids.save([{ ...answer, openid: 'o2' }], NOW)
      expect(await store.user(amy)).toMatchObject({ version: 1, binding: { subscribed: false } })
      await store.unionids.save([answer, answer], NOW)
      expect(await store.user(amy)).toMatchObject({ version: 2, binding: { subscribed: true } })
      const again = {
        type: 'bind',
        user,
        binding: binding('o1', { subscribed: false }),
        reason: 'oauth',
        at: NOW,
      } as const
      await store.write((tx) => tx.apply(again))
      await store.unionids.claimDue(NOW, NOW + 60_000, 9)
      await store.unionids.save([answer], NOW)
      expect(await store.user(amy)).toMatchObject({ version: 3, binding: { subscribed: false } })
    })

    test.each([true, false])(
      'does not save `follows` if an unfollow of the same second was applied after the request (subscribed before: %s)',
      async (subscribed) => {
        const user = await bind(amy, 'o1', { subscribed })
        const [{ version, due, openid } = { version: 0, due: 0, openid: '' }] = await store.unionids.claimDue(
          NOW,
          NOW + 60_000,
          9,
        )
        const { eventTime } = binding('o1')
        await store.write((tx) => tx.apply({ type: 'setSubscribed', user, subscribed: false, eventTime, at: NOW }))
        await store.unionids.save([{ user, openid, unionid: 'u1', follows: { version, due } }], NOW)
        expect((await store.user(amy)).binding).toMatchObject({ subscribed: false, unionid: 'u1' })
      },
    )

    test('saves a unionid only for an openid that is still bound', async () => {
      const user = await bind(amy, 'o1')
      await store.unionids.save([{ user, openid: 'o2', unionid: 'u2' }], NOW)
      expect((await store.user(amy)).binding?.unionid).toBeNull()
      await store.unionids.save([{ user, openid: 'o1', unionid: 'u1' }], NOW)
      expect((await store.user(amy)).binding?.unionid).toBe('u1')
    })

    test('rolls back every change of a unit that throws, and no change of a concurrent unit', async () => {
      const { user } = await add('a')
      const refusal = new BindError('NOT_BOUND', 'no')
      const results = await Promise.allSettled([
        store.write((tx) => tx.apply({ type: 'bind', user, binding: binding('o1'), reason: 'scan', at: NOW })),
        store.write(function* (tx) {
          yield* tx.apply({ type: 'unbind', user, reason: 'chat', at: NOW })
          throw refusal
        }),
        store.write((tx) => tx.consumeJti('k1|j1', NOW)),
      ])
      expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
      expect((results[1] as PromiseRejectedResult).reason).toBe(refusal)
      expect(await store.user(amy)).toMatchObject({ version: 1, binding: { openid: 'o1' } })
    })

    test('notifies listeners of a version after its commit, and does not after a rollback', async () => {
      const { user } = await add('a')
      const notices: CommitNotice[] = []
      const stop = store.onCommit((notice) => notices.push(notice))
      await store.write((tx) => tx.apply({ type: 'bind', user, binding: binding('o1'), reason: 'scan', at: NOW }))
      expect(notices).toMatchObject([{ identity: amy, version: 1 }])
      await expect(
        store.write(function* (tx) {
          yield* tx.apply({ type: 'unbind', user, reason: 'chat', at: NOW })
          throw new BindError('NOT_BOUND', 'no')
        }),
      ).rejects.toThrow('no')
      stop()
      await store.write((tx) => tx.apply({ type: 'unbind', user, reason: 'chat', at: NOW }))
      expect(notices).toHaveLength(1)
    })

    test('reports an error of the engine as STORE_UNAVAILABLE', async () => {
      await add('a')
      await expect(add('a')).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
    })

    test('deletes expired rows and keeps the others', async () => {
      await add('old', { createdAt: NOW - 90_000_000, expiresAt: NOW - 86_400_001 })
      const kept = await add('new')
      await store.write(function* (tx) {
        yield* tx.recordDelivery('expired', 'x', NOW)
        yield* tx.recordDelivery('kept', 'x', NOW + 1)
        yield* tx.consumeJti('expired', NOW)
        yield* tx.consumeJti('kept', NOW + 1)
        yield* tx.countAttempt('expired', 1, NOW, NOW - 1)
        yield* tx.countAttempt('kept', 1, NOW + 1, NOW - 1)
      })
      await store.sweep(NOW)
      const left = await store.write(function* (tx) {
        return {
          tickets: [yield* tx.ticketByScene('wb1_old'), (yield* tx.ticketByScene('wb1_new'))?.ticket.id],
          replies: [yield* tx.findDelivery('expired'), yield* tx.findDelivery('kept')],
          jtis: [yield* tx.consumeJti('expired', NOW), yield* tx.consumeJti('kept', NOW)],
          // Both windows end after this time.
          windows: [yield* tx.rateWindow('expired', NOW - 1), (yield* tx.rateWindow('kept', NOW - 1))?.count],
        }
      })
      expect(left).toEqual({
        tickets: [undefined, kept.id],
        replies: [undefined, 'x'],
        jtis: [true, false],
        windows: [undefined, 1],
      })
    })

    test('deletes expired jtis that were added after many valid ones', async () => {
      /** Consumes 250 jtis and returns how many were new. The units are small, because a statement takes long on a busy machine. */
      async function consume(prefix: string, expiresAt: number): Promise<number> {
        let fresh = 0
        for (let first = 0; first < 250; first += 50) {
          fresh += await store.write(function* (tx) {
            let count = 0
            for (let i = first; i < first + 50; i++) if (yield* tx.consumeJti(`${prefix}${i}`, expiresAt)) count++
            return count
          })
        }
        return fresh
      }
      await consume('kept', NOW + 86_400_000)
      await consume('expired', NOW)
      await store.sweep(NOW)
      const again = { expired: await consume('expired', NOW), kept: await consume('kept', NOW) }
      expect(again).toEqual({ expired: 250, kept: 0 })
    })

    test('does not close a ticket twice', async () => {
      const { id: ticket, user } = await add('a')
      const close = { type: 'close', ticket, user, as: 'used', bumpsVersion: false } as const
      await store.write((tx) => tx.apply(close))
      await expect(store.write((tx) => tx.apply(close))).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
    })
  })
}
