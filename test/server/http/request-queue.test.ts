import { describe, expect, test } from 'vitest'
import type { BindError } from '../../../server/errors.ts'
import {
  AT_ONCE,
  createRequestQueue,
  MAX_WAIT_MS,
  type QueuedRequest,
  TURNS,
} from '../../../server/http/request-queue.ts'

/** A queue with its own clock and turns. `take(n)` lets the event loop make n turns. */
function openQueue() {
  let now = 0
  const callbacks: (() => void)[] = []
  const queue = createRequestQueue({ clock: () => now, nextTurn: (callback) => callbacks.push(callback) })
  const started: number[] = []
  const refused: [number, BindError][] = []
  const ends: (() => void)[] = []
  const request = (i: number): QueuedRequest => ({
    start() {
      started.push(i)
      return new Promise((resolve) => ends.push(resolve))
    },
    refuse: (error) => refused.push([i, error]),
  })
  return {
    started,
    refused,
    enter: (count: number) => Array.from({ length: count }, (_, i) => queue(request(i))),
    take(turns: number) {
      for (let i = 0; i < turns; i++) callbacks.shift()?.()
    },
    pass: (ms: number) => {
      now += ms
    },
    /** Ends the oldest running request. */
    async end() {
      ends.shift()?.()
      await Promise.resolve()
    },
    isIdle: () => callbacks.length === 0,
  }
}

const upTo = (count: number) => Array.from({ length: count }, (_, i) => i)

describe('createRequestQueue', () => {
  test('starts requests at once up to the limit, and the others in order, each after some turns of the event loop', async () => {
    const { started, enter, take, end } = openQueue()
    enter(AT_ONCE + 2)
    expect(started).toEqual(upTo(AT_ONCE))
    await end()
    take(TURNS - 1)
    expect(started).toEqual(upTo(AT_ONCE))
    take(1)
    expect(started).toEqual(upTo(AT_ONCE + 1))
    take(TURNS)
    expect(started).toEqual(upTo(AT_ONCE + 1))
    await end()
    take(TURNS)
    expect(started).toEqual(upTo(AT_ONCE + 2))
  })

  test('makes no turns while all places are taken, and none when nothing waits', async () => {
    const { enter, take, end, isIdle } = openQueue()
    enter(AT_ONCE + 1)
    expect(isIdle()).toBe(true)
    await end()
    expect(isIdle()).toBe(false)
    take(TURNS)
    await end()
    expect(isIdle()).toBe(true)
  })

  test('refuses requests that have waited too long, and names the time after which to retry', async () => {
    const { started, refused, enter, take, pass, end } = openQueue()
    enter(AT_ONCE + 2)
    pass(MAX_WAIT_MS)
    await end()
    take(TURNS)
    expect(started).toEqual(upTo(AT_ONCE))
    expect(refused.map(([i]) => i)).toEqual([AT_ONCE, AT_ONCE + 1])
    expect(refused[0]?.[1]).toMatchObject({ code: 'OVERLOADED', status: 503, retryAfterSeconds: 5 })
  })

  test('starts every one of many thousand requests once', async () => {
    const { started, enter, take, end } = openQueue()
    enter(5_000)
    while (started.length < 5_000) {
      await end()
      take(TURNS)
    }
    expect(started).toEqual(upTo(5_000))
  })
})
