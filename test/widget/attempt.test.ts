import { describe, expect, test } from 'vitest'
import { backoffMs, firstAttempt, nextAttempt, retryAttempt } from '../../widget/attempt.ts'

describe('backoffMs', () => {
  test('doubles the pause with each failure, up to 30 s', () => {
    expect([0, 1, 2, 3, 4, 5, 20].map((failures) => backoffMs(failures, 1))).toEqual([
      1000, 2000, 4000, 8000, 16_000, 30_000, 30_000,
    ])
  })

  test('returns random pauses from the whole range, so that many clients do not retry at the same moment', () => {
    expect(backoffMs(3, 0)).toBe(0)
    expect(backoffMs(3, 0.25)).toBe(2000)
  })

  test("returns at least the server's Retry-After", () => {
    expect(backoffMs(0, 0, 7000)).toBe(7000)
  })
})

describe('retryAttempt', () => {
  test('counts failures until a request succeeds', () => {
    const twice = retryAttempt(retryAttempt(firstAttempt, 0.5), 0.5)
    expect(twice).toEqual({ turn: 2, failures: 2, delayMs: 1000 })
    expect(nextAttempt(twice)).toEqual({ turn: 3, failures: 0, delayMs: 0 })
  })
})
