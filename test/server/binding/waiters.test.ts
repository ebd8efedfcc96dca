import { describe, expect, test } from 'vitest'
import { createWaiters, type Ending, type Waiter, type WaiterLimits } from '../../../server/binding/waiters.ts'
import { createFakeTime } from '../../support/fake-time.ts'

const amy = { tenant: 'default', account: 'acme', userId: 'amy' }
const bo = { ...amy, userId: 'bo' }

const plenty: WaiterLimits = { inAll: 1000, perTenant: 1000, perUser: 1000 }

function open(limits: Partial<WaiterLimits> = {}) {
  const time = createFakeTime()
  const waiters = createWaiters({ limits: { ...plenty, ...limits }, ...time })
  /** How each wait ended, in the order of the arguments; undefined while it lasts. */
  const endings = (...parked: Waiter[]) => {
    const seen = parked.map((): Ending | undefined => undefined)
    for (const [i, waiter] of parked.entries()) {
      waiters.onEnd(waiter, (ending) => {
        seen[i] = ending
      })
    }
    return seen
  }
  return { time, waiters, endings, rest: () => [waiters.count(), time.pending()] }
}

describe('createWaiters', () => {
  test('wakes only the waits of the changed user that know an older version', () => {
    const { waiters, endings } = open()
    const seen = endings(waiters.park(amy, 1, 1000), waiters.park(amy, 2, 1000), waiters.park(bo, 1, 1000))
    waiters.wake({ identity: amy, version: 2 })
    expect(seen).toEqual(['recheck', undefined, undefined])
    expect(waiters.count()).toBe(2)
  })

  test('distinguishes users whose account and user id form the same text when joined', () => {
    const { waiters, endings } = open()
    const seen = endings(waiters.park({ ...amy, account: 'A', userId: '1' }, 0, 1000))
    waiters.wake({ identity: { ...amy, account: 'A1', userId: '' }, version: 1 })
    expect(seen).toEqual([undefined])
  })

  test('reports a wake that came before onEnd was called', () => {
    const { waiters, endings } = open()
    const waiter = waiters.park(amy, 1, 1000)
    waiters.wake({ identity: amy, version: 2 })
    expect(endings(waiter)).toEqual(['recheck'])
  })

  test('ends a wait after its time, or earlier if an earlier recheck was requested', () => {
    const { waiters, endings, time, rest } = open()
    const [long, short] = [waiters.park(amy, 1, 25_000), waiters.park(amy, 1, 25_000)]
    const seen = endings(long, short)
    waiters.recheckWithin(short, 5_000)
    waiters.recheckWithin(long, 30_000)
    time.advance(5_000)
    expect(seen).toEqual([undefined, 'recheck'])
    time.advance(20_000)
    expect(seen).toEqual(['timeout', 'recheck'])
    expect(rest()).toEqual([0, 0])
  })

  test('uses one timer for 1,000 waits, and ends each wait at most 50 ms late', () => {
    const { waiters, time, rest } = open()
    const lateness: number[] = []
    for (let i = 0; i < 1000; i++) {
      const dueAt = time.clock() + 25_000
      waiters.onEnd(waiters.park({ ...amy, userId: `u${i}` }, 1, 25_000), () => lateness.push(time.clock() - dueAt))
      time.advance(7)
    }
    expect(time.pending()).toBe(1)
    time.advance(25_050)
    expect(lateness).toHaveLength(1000)
    expect(Math.min(...lateness)).toBeGreaterThanOrEqual(0)
    expect(Math.max(...lateness)).toBeLessThanOrEqual(50)
    expect(rest()).toEqual([0, 0])
  })

  test('spreads the ends of waits that began together, so that their next polls do not arrive together', () => {
    const { waiters, endings, time } = open()
    const seen = endings(
      ...Array.from({ length: 1000 }, (_, i) => waiters.park({ ...amy, userId: `u${i}` }, 1, 25_000)),
    )
    const over = () => seen.filter((ending) => ending === 'timeout').length
    time.advance(25_000)
    expect(over()).toBe(250)
    time.advance(50)
    expect(over()).toBe(500)
    time.advance(100)
    expect(over()).toBe(1000)
    expect(time.pending()).toBe(0)
  })

  test('removes a wait after `leave`, and does not call its listener', () => {
    const { waiters, endings, time, rest } = open()
    const waiter = waiters.park(amy, 1, 25_000)
    const seen = endings(waiter)
    waiters.leave(waiter)
    waiters.leave(waiter)
    expect(rest()).toEqual([0, 0])
    waiters.wake({ identity: amy, version: 2 })
    time.advance(25_000)
    expect(seen).toEqual([undefined])
  })

  test('ignores a recheck of a wait that has ended', () => {
    const { waiters, time, rest } = open()
    const waiter = waiters.park(amy, 1, 25_000)
    waiters.wake({ identity: amy, version: 2 })
    waiters.recheckWithin(waiter, 1_000)
    waiters.park(bo, 1, 25_000)
    time.advance(25_000)
    expect(rest()).toEqual([0, 0])
  })

  test('ends all waits after missed notifications, a few at a time and whatever version they know', () => {
    const { waiters, endings, time, rest } = open()
    const users = Array.from({ length: 50 }, (_, i) => waiters.park({ ...amy, userId: `u${i}` }, 9, 25_000))
    const seen = endings(...users)
    waiters.wake('missed')
    expect(seen.filter((ending) => ending === 'recheck').length).toBe(20)
    time.advance(10)
    expect(seen.filter((ending) => ending === 'recheck').length).toBe(40)
    time.advance(10)
    expect(new Set(seen)).toEqual(new Set(['recheck']))
    expect(rest()).toEqual([0, 0])
  })

  test('calls no listener of a waiter that left before its recheck', () => {
    const { waiters, endings, time } = open()
    const users = Array.from({ length: 21 }, (_, i) => waiters.park({ ...amy, userId: `u${i}` }, 9, 25_000))
    const seen = endings(...users)
    waiters.wake('missed')
    waiters.park(bo, 9, 25_000)
    waiters.leave(users[20]!)
    time.advance(10)
    expect([seen[19], seen[20]]).toEqual(['recheck', undefined])
  })

  test('ends every wait at shutdown, and every later wait at once', () => {
    const { waiters, endings, rest } = open()
    const seen = endings(waiters.park(amy, 1, 25_000), waiters.park(bo, 1, 25_000))
    waiters.close()
    expect([...seen, ...endings(waiters.park(amy, 1, 25_000))]).toEqual(['timeout', 'timeout', 'timeout'])
    expect(rest()).toEqual([0, 0])
  })
})

describe('createWaiters with thousands of pages', () => {
  test('ends the waits in parts at shutdown, so that the event loop stays free', () => {
    const { waiters, time } = open({ inAll: 2_000, perTenant: 2_000 })
    for (let i = 0; i < 1_200; i++) waiters.park({ ...amy, userId: `u${i}` }, 1, 25_000)
    waiters.close()
    const counts = [waiters.count()]
    while (waiters.count() > 0) {
      time.advance(1)
      counts.push(waiters.count())
    }
    expect(counts).toEqual([700, 200, 0])
  })
})

describe('the limits of createWaiters', () => {
  const overloaded = expect.objectContaining({ code: 'OVERLOADED', status: 503, retryAfterSeconds: 5 })

  test.each([
    ['a user', { perUser: 2 }, amy, bo],
    ['a tenant', { perTenant: 2 }, bo, { ...amy, tenant: 'other' }],
  ])('refuse only the waits of %s beyond the limit', (_, limits, refused, served) => {
    const { waiters } = open(limits)
    const first = waiters.park(amy, 1, 25_000)
    waiters.park(amy, 1, 25_000)
    expect(() => waiters.park(refused, 1, 25_000)).toThrow(overloaded)
    waiters.park(served, 1, 25_000)
    waiters.leave(first)
    waiters.park(refused, 1, 25_000)
    expect(waiters.count()).toBe(3)
  })

  test('refuse every wait at the total limit, until another wait ends', () => {
    const { waiters, time } = open({ inAll: 1 })
    waiters.park(amy, 1, 25_000)
    expect(() => waiters.park({ ...bo, tenant: 'other' }, 1, 25_000)).toThrow(overloaded)
    time.advance(25_000)
    waiters.park(bo, 1, 25_000)
    expect(waiters.count()).toBe(1)
  })

  test('do not name a user or a tenant in the error', () => {
    const { waiters } = open({ perTenant: 0 })
    expect(() => waiters.park({ tenant: 'secret-tenant', account: 'acme', userId: 'amy' }, 1, 1)).toThrow(
      /^This tenant has reached its limit of waiting pages: retry in 5 s\.$/,
    )
  })
})
