import { describe, expect, test } from 'vitest'
import { createWaiters } from '../../../server/binding/waiters.ts'
import { createFakeTime } from '../../support/fake-time.ts'

const amy = { tenant: 'default', account: 'acme', userId: 'amy' }
const bo = { ...amy, userId: 'bo' }

function open() {
  const time = createFakeTime()
  return { time, waiters: createWaiters(time.setTimer), hangUp: new AbortController() }
}

/** Whether the wait has ended, asked without waiting for it. */
const hasEnded = async (ended: Promise<void>) =>
  Promise.race([ended.then(() => true), new Promise((resolve) => setImmediate(resolve)).then(() => false)])

describe('createWaiters', () => {
  test('wakes who knows an older version of this user, and nobody else', async () => {
    const { waiters, hangUp } = open()
    const old = waiters.park(amy, 1, 1000, hangUp.signal)
    const current = waiters.park(amy, 2, 1000, hangUp.signal)
    const other = waiters.park(bo, 1, 1000, hangUp.signal)
    waiters.wake({ identity: amy, version: 2 })
    expect(await Promise.all([old, current, other].map(({ ended }) => hasEnded(ended)))).toEqual([true, false, false])
    expect(waiters.count()).toBe(2)
  })

  test('keeps users apart whose ids run together', async () => {
    const { waiters, hangUp } = open()
    const waiter = waiters.park({ ...amy, account: 'A', userId: '1' }, 0, 1000, hangUp.signal)
    waiters.wake({ identity: { ...amy, account: 'A1', userId: '' }, version: 1 })
    expect(await hasEnded(waiter.ended)).toBe(false)
  })

  test('ends after the time, and sooner when told to', async () => {
    const { waiters, time, hangUp } = open()
    const long = waiters.park(amy, 1, 25_000, hangUp.signal)
    const short = waiters.park(amy, 1, 25_000, hangUp.signal)
    short.endWithin(5_000)
    time.advance(5_000)
    expect([await hasEnded(long.ended), await hasEnded(short.ended)]).toEqual([false, true])
    time.advance(20_000)
    expect(await hasEnded(long.ended)).toBe(true)
    expect([waiters.count(), time.pending()]).toEqual([0, 0])
  })

  test('ends when the client hangs up, before or while it waits', async () => {
    const { waiters, time, hangUp } = open()
    const waiting = waiters.park(amy, 1, 25_000, hangUp.signal)
    hangUp.abort()
    const gone = waiters.park(amy, 1, 25_000, hangUp.signal)
    expect([await hasEnded(waiting.ended), await hasEnded(gone.ended)]).toEqual([true, true])
    expect([waiters.count(), time.pending()]).toEqual([0, 0])
  })

  test('lets all look again after a gap, whatever version they know, one after the other', async () => {
    const { waiters, time, hangUp } = open()
    const waiting = [amy, bo, amy, bo].map((identity) => waiters.park(identity, 9, 25_000, hangUp.signal))
    waiters.wake('missed')
    time.advance(0)
    expect(await Promise.all(waiting.map(({ ended }) => hasEnded(ended)))).toContain(false)
    time.advance(1)
    expect(await Promise.all(waiting.map(({ ended }) => hasEnded(ended)))).toEqual([true, true, true, true])
    expect([waiters.count(), time.pending()]).toEqual([0, 0])
  })

  test('ends every wait at shutdown, also one that begins later', async () => {
    const { waiters, time, hangUp } = open()
    const waiting = [amy, bo].map((identity) => waiters.park(identity, 1, 25_000, hangUp.signal))
    waiters.close()
    const late = waiters.park(amy, 1, 25_000, hangUp.signal)
    expect(await Promise.all([...waiting, late].map(({ ended }) => hasEnded(ended)))).toEqual([true, true, true])
    expect([waiters.count(), time.pending()]).toEqual([0, 0])
  })
})
