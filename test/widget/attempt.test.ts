import { describe, expect, test } from 'vitest'
import { firstAttempt, nextAttempt, retryAttempt } from '../../widget/attempt.ts'

const pauseAfter = (failures: number, random: number, retryAfterMs?: number, spreadMs?: number) =>
  retryAttempt({ ...firstAttempt, failures }, random, retryAfterMs, spreadMs).delayMs

describe('the pause before a retry', () => {
  test('doubles with each failure, up to 30 s', () => {
    expect([0, 1, 2, 3, 4, 5, 20].map((failures) => pauseAfter(failures, 1))).toEqual([
      1000, 2000, 4000, 8000, 16_000, 30_000, 30_000,
    ])
  })

  test('is spread over at least this time from the second failure on', () => {
    expect([0, 1, 2, 3, 4, 5].map((failures) => pauseAfter(failures, 1, 0, 10_000))).toEqual([
      1000, 10_000, 10_000, 10_000, 16_000, 30_000,
    ])
  })

  test('is a random value from the whole range, so that many clients do not retry at the same moment', () => {
    expect(pauseAfter(3, 0)).toBe(0)
    expect(pauseAfter(3, 0.25)).toBe(2000)
  })

  test("is at least the server's Retry-After", () => {
    expect(pauseAfter(0, 0, 7000)).toBe(7000)
  })
})

describe('retryAttempt', () => {
  test('counts failures until a request succeeds', () => {
    const twice = retryAttempt(retryAttempt(firstAttempt, 0.5), 0.5)
    expect(twice).toEqual({ turn: 2, failures: 2, delayMs: 1000 })
    expect(nextAttempt(twice)).toEqual({ turn: 3, failures: 0, delayMs: 0 })
  })
})
