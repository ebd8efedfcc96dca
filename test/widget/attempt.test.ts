import { describe, expect, test } from 'vitest'
import { backoffMs, firstAttempt, nextAttempt, retryAttempt } from '../../widget/attempt.ts'

describe('backoffMs', () => {
  test('grows twofold with each failure, up to half a minute', () => {
    expect([0, 1, 2, 3, 4, 5, 20].map((failures) => backoffMs(failures, 1))).toEqual([
      1000, 2000, 4000, 8000, 16_000, 30_000, 30_000,
    ])
  })

  test('spreads over the whole range, so that a crowd does not come back as one', () => {
    expect(backoffMs(3, 0)).toBe(0)
    expect(backoffMs(3, 0.25)).toBe(2000)
  })

  test('is never sooner than the server asked for', () => {
    expect(backoffMs(0, 0, 7000)).toBe(7000)
  })
})

describe('retryAttempt', () => {
  test('counts failures until one request is answered', () => {
    const twice = retryAttempt(retryAttempt(firstAttempt, 0.5), 0.5)
    expect(twice).toEqual({ turn: 2, failures: 2, delayMs: 1000 })
    expect(nextAttempt(twice)).toEqual({ turn: 3, failures: 0, delayMs: 0 })
  })
})
