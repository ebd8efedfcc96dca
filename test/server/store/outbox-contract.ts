/** The tests of the outbox that every engine must pass. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Failure, Notice } from '../../../server/store/outbox.ts'
import type { Store } from '../../../server/store/store.ts'
import { addUser, newBinding } from '../../support/rows.ts'

const NOW = 1_700_000_000_000
const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR
const refused: Failure = { status: 500, error: null }

export function outboxContract(makeStore: () => Promise<Store>) {
  describe('the outbox', () => {
    let store: Store
    beforeEach(async () => {
      store = await makeStore()
    })
    afterEach(() => store.close())

    const identityOf = (userId: string) => ({ tenant: 'default', account: 'acme', userId })

    /** A user with `changes` events, each of which is an unbind. */
    async function addEvents(userId: string, changes = 1, at = NOW): Promise<number> {
      const user = await addUser(store, identityOf(userId))
      const unbind = { type: 'unbind', user, reason: 'chat', at } as const
      for (let i = 0; i < changes; i++) await store.write((tx) => tx.apply(unbind))
      return user
    }

    const dispatch = (receivers = ['one'], now = NOW, limit = 100) => store.outbox.dispatch(now, () => receivers, limit)
    const claim = (receiver = 'one', now = NOW, room = 10) =>
      store.outbox.claim(now, now + MINUTE, [{ receiver, room }])
    const shown = (notices: Notice[]) => notices.map(({ identity, version }) => `${identity.userId} ${version}`)
    const waiting = async () => shown(await store.outbox.list('waiting', 100))
    const fail = (name: string, now: number, more = {}) =>
      store.outbox.receiverFailed({ name, now, failure: refused, isGone: false, pausedUntil: null, ...more })

    test('moves each event to the queues of its receivers, with one id for all of them', async () => {
      await addEvents('a', 2)
      const route = (tenant: string, type: string) => (type === 'unbound' ? [`${tenant}1`, `${tenant}2`] : [])
      expect(await store.outbox.dispatch(NOW, route, 100)).toEqual({
        receivers: ['default1', 'default2', 'default1', 'default2'],
        isMore: false,
        heldUntil: undefined,
      })
      expect(await store.outbox.dispatch(NOW, route, 100)).toMatchObject({ receivers: [] })
      const [first, second] = [await claim('default1'), await claim('default2')]
      expect([shown(first), shown(second)]).toEqual([['a 1'], ['a 1']])
      expect(first[0]?.uid).toBe(second[0]?.uid)
      expect(first[0]?.uid).toMatch(/^evt_[\w-]{22}$/)
    })

    test('removes an event without a receiver, and moves a batch at a time', async () => {
      await addEvents('a', 3)
      expect(await dispatch([], NOW, 2)).toEqual({ receivers: [], isMore: true, heldUntil: undefined })
      expect(await waiting()).toEqual(['a 3'])
      expect(await dispatch([], NOW, 2)).toEqual({ receivers: [], isMore: false, heldUntil: undefined })
      expect(await waiting()).toEqual([])
    })

    test('moves the events of other users past an event that waits for its unionid', async () => {
      const user = await addUser(store, identityOf('a'))
      const at = NOW
      const bind = (openid: string) =>
        store.write((tx) => tx.apply({ type: 'bind', user, binding: newBinding(openid), reason: 'scan', at }))
      await bind('o1')
      await addEvents('b')
      expect(await dispatch(['one'], NOW, 1)).toMatchObject({ receivers: ['one'], heldUntil: NOW + 3_000 })
      expect(shown(await claim())).toEqual(['b 1'])
    })

    test('delays a binding and later events of its user for three seconds while its unionid is fetched', async () => {
      const user = await addUser(store, identityOf('a'))
      const at = NOW
      const bind = (openid: string) =>
        store.write((tx) => tx.apply({ type: 'bind', user, binding: newBinding(openid), reason: 'scan', at }))
      await bind('o1')
      await addEvents('b')
      expect(await dispatch()).toEqual({ receivers: ['one'], isMore: false, heldUntil: NOW + 3_000 })
      expect(shown(await claim())).toEqual(['b 1'])
      await store.unionids.save([{ user, openid: 'o1', unionid: 'u1' }], NOW)
      // The events of the binding and of its unionid.
      expect(await dispatch()).toMatchObject({ receivers: ['one', 'one'], heldUntil: undefined })
      expect(await claim()).toMatchObject([{ openid: 'o1', unionid: 'u1' }])
      await bind('o2')
      await bind('o3')
      // The first binding was replaced, so its event does not wait for a unionid.
      expect(await dispatch(['one'], NOW + 2_999)).toMatchObject({ receivers: ['one'], heldUntil: NOW + 3_000 })
      expect(await dispatch(['one'], NOW + 3_000)).toMatchObject({ receivers: ['one'], heldUntil: undefined })
    })

    test('gives a receiver the first notice of each user, and the next notice after the outcome of the first', async () => {
      await addEvents('a', 3)
      await addEvents('b')
      await dispatch(['one', 'two'])
      const notices = await claim()
      expect(shown(notices)).toEqual(['a 1', 'b 1'])
      expect(await claim()).toEqual([])
      expect(shown(await claim('two', NOW, 1))).toEqual(['a 1'])
      await store.outbox.delivered(notices.map(({ id }) => id))
      const [second] = await claim()
      expect(second).toMatchObject({ version: 2, attempts: 0, failure: null })
      await store.outbox.giveUp(second!.id, refused)
      expect(shown(await claim())).toEqual(['a 3'])
    })

    test('makes the notices of a killed instance due after the claim, and the notices of a closing instance at once', async () => {
      await addEvents('a')
      await dispatch()
      const [claimed] = await claim()
      expect(await claim('one', NOW + MINUTE - 1)).toEqual([])
      expect(await claim('one', NOW + MINUTE)).toHaveLength(1)
      await store.outbox.unclaim(claimed!.id, NOW)
      expect(await claim()).toMatchObject([{ attempts: 0 }])
    })

    test('makes a notice due again after a failure, and keeps the reason', async () => {
      await addEvents('a')
      await dispatch()
      const [notice] = await claim()
      await store.outbox.retryAt(notice!.id, NOW + 5_000, { status: null, error: 'ECONNREFUSED' })
      expect(await claim('one', NOW + 4_999)).toEqual([])
      expect(await claim('one', NOW + 5_000)).toMatchObject([
        { attempts: 1, failure: { status: null, error: 'ECONNREFUSED' } },
      ])
    })

    test('retries waiting notices and replays failed notices: all notices, the notices of one receiver, or one notice', async () => {
      for (const user of ['a', 'b', 'c']) await addEvents(user)
      await dispatch(['one', 'two'])
      const [a, b, c] = await claim()
      for (const notice of [a, b]) await store.outbox.retryAt(notice!.id, NOW + DAY, refused)
      await store.outbox.giveUp(c!.id, refused)
      expect(await store.outbox.retry(NOW, { id: a!.id })).toBe(1)
      expect(shown(await claim())).toEqual(['a 1'])
      expect(await store.outbox.retry(NOW, { receiver: 'one' })).toBe(2)
      expect(await store.outbox.retry(NOW)).toBe(5)
      expect(await store.outbox.replay(NOW, { receiver: 'two' })).toBe(0)
      expect(await store.outbox.list('failed', 10)).toMatchObject([{ id: c!.id, attempts: 1, failure: refused }])
      expect(await store.outbox.replay(NOW, { id: c!.id })).toBe(1)
      expect(await store.outbox.list('failed', 10)).toEqual([])
    })

    test('counts the failures of a receiver, and resets the count when the receiver accepts', async () => {
      expect(await store.outbox.receivers()).toEqual([])
      await fail('one', NOW, { pausedUntil: NOW + 5_000 })
      expect(await fail('one', NOW + HOUR)).toEqual({
        name: 'one',
        status: 'on',
        failingSince: NOW,
        failures: 2,
        pausedUntil: null,
        lastFailure: refused,
        lastFailureAt: NOW + HOUR,
      })
      await store.outbox.receiverAccepted('one', NOW + HOUR)
      expect(await store.outbox.receivers()).toMatchObject([{ failingSince: null, failures: 0, status: 'on' }])
    })

    const pauses = async () => (await store.outbox.receivers()).map(({ pausedUntil }) => pausedUntil)

    test('ends the pause of a receiver when all of its notices or one notice are retried', async () => {
      await addEvents('a')
      await dispatch(['one', 'two'])
      const [notice] = await claim('one')
      const names = ['one', 'two', 'three']
      for (const name of names) await fail(name, NOW, { pausedUntil: NOW + DAY })
      await store.outbox.retry(NOW, { id: notice!.id })
      // The states are in the order of the names: one, three, two.
      expect(await pauses()).toEqual([null, NOW + DAY, NOW + DAY])
      await store.outbox.retry(NOW, { receiver: 'two' })
      expect(await pauses()).toEqual([null, NOW + DAY, null])
      await store.outbox.retry(NOW)
      expect(await pauses()).toEqual([null, null, null])
    })

    test('keeps a pause when requests that began before the pause are refused or accepted', async () => {
      await fail('one', NOW, { pausedUntil: NOW + HOUR })
      expect(await fail('one', NOW + 1)).toMatchObject({ failures: 2, pausedUntil: NOW + HOUR })
      expect(await fail('one', NOW + 2, { pausedUntil: NOW + MINUTE })).toMatchObject({ pausedUntil: NOW + HOUR })
      await store.outbox.receiverAccepted('one', NOW + 3)
      expect(await store.outbox.receivers()).toMatchObject([{ failures: 3, pausedUntil: NOW + HOUR }])
      expect(await fail('one', NOW + 4, { pausedUntil: NOW + DAY })).toMatchObject({ pausedUntil: NOW + DAY })
      await store.outbox.receiverAccepted('one', NOW + DAY)
      expect(await store.outbox.receivers()).toMatchObject([{ failures: 0, pausedUntil: null }])
    })

    test('switches a receiver off after five days of failures, unless nothing was tried for two days', async () => {
      const status = async (days: number) => (await fail('one', NOW + days * DAY)).status
      for (const days of [0, 1, 2, 3, 4]) expect(await status(days)).toBe('on')
      expect(await status(4.99)).toBe('on')
      expect(await status(5)).toBe('off')
      await fail('two', NOW)
      expect(await fail('two', NOW + 6 * DAY)).toMatchObject({ status: 'on', failingSince: NOW + 6 * DAY, failures: 2 })
    })

    test('keeps a receiver off after a 410 until it is enabled, and then sends its waiting notices', async () => {
      await addEvents('a')
      await dispatch()
      const [notice] = await claim()
      await store.outbox.retryAt(notice!.id, NOW + DAY, { status: 410, error: null })
      expect(await fail('one', NOW, { isGone: true })).toMatchObject({ status: 'gone' })
      expect(await fail('one', NOW)).toMatchObject({ status: 'gone' })
      await store.outbox.receiverAccepted('one', NOW + HOUR)
      expect(await store.outbox.receivers()).toMatchObject([{ status: 'gone' }])
      expect(await store.outbox.oldestAt(['one'])).toBeUndefined()
      expect(await store.outbox.enable('one', NOW)).toBe(true)
      expect(await store.outbox.enable('one', NOW)).toBe(false)
      expect(await store.outbox.receivers()).toMatchObject([{ status: 'on', failingSince: null, failures: 0 }])
      expect(await claim()).toMatchObject([{ id: notice!.id }])
    })

    test('counts the notices of each receiver, and returns the age of the oldest', async () => {
      expect(await store.outbox.oldestAt(['one', 'two'])).toBeUndefined()
      await addEvents('a', 1, NOW + 2)
      expect(await store.outbox.oldestAt(['one', 'two'])).toBe(NOW + 2)
      await addEvents('b', 1, NOW + 3)
      await dispatch(['one', 'two'])
      const [first] = await claim()
      await store.outbox.giveUp(first!.id, refused)
      const lengths = (await store.outbox.lengths()).sort((a, b) => a.receiver.localeCompare(b.receiver))
      expect(lengths).toEqual([
        { receiver: 'one', waiting: 1, failed: 1 },
        { receiver: 'two', waiting: 2, failed: 0 },
      ])
      expect(await store.outbox.oldestAt(['one', 'two'])).toBe(NOW + 2)
      // Receivers that are not configured any more do not count.
      for (const names of [[], ['three']]) expect(await store.outbox.oldestAt(names)).toBeUndefined()
    })

    test('lists events that no server has moved yet', async () => {
      await addEvents('a', 2)
      expect(await store.outbox.list('waiting', 1)).toMatchObject([{ receiver: null, version: 1, attempts: 0 }])
    })

    test('keeps events for 90 days, including the notices of a receiver that is off', async () => {
      for (const days of [100, 91, 1]) await addEvents(`d${days}`, 1, NOW - days * DAY)
      await dispatch()
      expect(await waiting()).toEqual(['d100 1', 'd91 1', 'd1 1'])
      await store.sweep(NOW)
      expect(await waiting()).toEqual(['d1 1'])
    })

    test('keeps an event that no server has moved for 180 days', async () => {
      for (const days of [181, 179]) await addEvents(`d${days}`, 1, NOW - days * DAY)
      await store.sweep(NOW)
      expect(await waiting()).toEqual(['d179 1'])
    })

    test('gives the lease to one instance at a time', async () => {
      const { outbox } = store
      expect(await outbox.lease('a', NOW, NOW + 10)).toBe(true)
      expect(await outbox.lease('b', NOW + 9, NOW + 19)).toBe(false)
      expect(await outbox.lease('a', NOW + 9, NOW + 19)).toBe(true)
      expect(await outbox.lease('b', NOW + 19, NOW + 29)).toBe(true)
      await outbox.release('a')
      expect(await outbox.lease('a', NOW + 20, NOW + 30)).toBe(false)
    })

    test('gives the lease to another instance if an instance with a clock an hour ahead has taken the lease', async () => {
      expect(await store.outbox.lease('a', NOW + HOUR, NOW + HOUR + 10)).toBe(true)
      expect(await store.outbox.lease('b', NOW, NOW + 10)).toBe(true)
    })
  })
}
