import { describe, expect, test } from 'vitest'
import { createReceiverQueues } from '../../../server/outbound/receiver-queues.ts'
import type { Notice, Room } from '../../../server/store/outbox.ts'

const noticesFor = (receiver: string, count: number) => Array.from({ length: count }, () => ({ receiver }) as Notice)

/** Queues of receivers that may each have eight requests in flight. */
function open(names: string[]) {
  const queues = createReceiverQueues()
  const divide = (room: number, limitOf = (_: string) => 8) =>
    Object.fromEntries(queues.divide(room, limitOf).map((each) => [each.receiver, each.room]))
  /** Claims `count` notices of the receiver, with room for `room`, and begins their requests. */
  const take = (receiver: string, room: number, count: number) => {
    queues.claimed([{ receiver, room }] satisfies Room[], noticesFor(receiver, count))
    for (let i = 0; i < count; i++) queues.requestBegins(receiver)
  }
  for (const name of names) queues.mayBeDue(name)
  return { ...queues, divide, take }
}

describe('the room for requests', () => {
  test('is divided equally among the receivers that may have a due notice', () => {
    const { divide, isAnyDue } = open(['a', 'b', 'c'])
    expect(divide(12)).toEqual({ a: 4, b: 4, c: 4 })
    expect(isAnyDue()).toBe(false)
    expect(divide(12)).toEqual({})
  })

  test('is at most the limit of a receiver, less its requests in flight', () => {
    const { divide, take } = open(['paused', 'failing', 'busy', 'well'])
    take('busy', 8, 6)
    const limitOf = (name: string) => ({ paused: 0, failing: 1 })[name] ?? 8
    expect(divide(48, limitOf)).toEqual({ failing: 1, busy: 2, well: 8 })
  })

  test('is given in turn if there is too little for all, so that every receiver gets some', () => {
    const names = Array.from({ length: 50 }, (_, i) => `r${i}`)
    const { divide, mayBeDue } = open(names)
    const served = new Set<string>()
    for (let turn = 0; turn < 5; turn++) {
      const given = divide(10)
      expect(Object.values(given)).toEqual(Array(10).fill(1))
      for (const name of Object.keys(given)) {
        served.add(name)
        // This receiver has more due notices, and is served after the others.
        mayBeDue(name)
      }
    }
    expect(served.size).toBe(50)
  })
})

describe('after a claim, a receiver may have a due notice', () => {
  test('when a request ends, if the claim was full', () => {
    const { take, requestEnds, isAnyDue, divide } = open(['a'])
    divide(2)
    take('a', 2, 2)
    expect(isAnyDue()).toBe(false)
    requestEnds('a')
    expect(isAnyDue()).toBe(true)
  })

  test('never, if the claim was not full and no notice was added after the claim', () => {
    const { take, requestEnds, isAnyDue, divide } = open(['a'])
    divide(8)
    take('a', 8, 2)
    requestEnds('a')
    requestEnds('a')
    expect(isAnyDue()).toBe(false)
  })

  test('when a request ends, if an added notice waits behind another notice of the same user', () => {
    const { added, take, requestEnds, isAnyDue, divide } = open([])
    added('a')
    added('a')
    divide(8)
    // The claim takes only the first of the two notices.
    take('a', 8, 1)
    requestEnds('a')
    expect(isAnyDue()).toBe(true)
  })

  test('not at once, if other instances have taken the added notices and no request is in flight', () => {
    const { added, take, requestBegins, requestEnds, isAnyDue, divide } = open([])
    added('a')
    divide(8)
    take('a', 8, 0)
    requestBegins('a')
    requestEnds('a')
    expect(isAnyDue()).toBe(false)
  })
})
