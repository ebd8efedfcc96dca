import { describe, expect, test } from 'vitest'
import { backoffMs, firstRun, nextRun, retryRun } from '../../widget/run.ts'

describe('backoffMs', () => {
  test('grows twofold with each failure, up to half a minute', () => {
    expect([0, 1, 2, 3, 4, 5, 20].map((attempt) => backoffMs(attempt, 1))).toEqual([
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

describe('retryRun', () => {
  test('counts failures until one request is answered', () => {
    const twice = retryRun(retryRun(firstRun, 0.5), 0.5)
    expect(twice).toEqual({ turn: 2, attempt: 2, delayMs: 1000 })
    expect(nextRun(twice)).toEqual({ turn: 3, attempt: 0, delayMs: 0 })
  })
})
