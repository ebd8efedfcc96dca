import { describe, expect, test } from 'vitest'
import { pausedUntil, readRetryAfter, retryAt, SCHEDULE_MS } from '../../../server/outbound/webhook-schedule.ts'

const NOW = 1_700_000_000_000
const MINUTE = 60_000
const DAY = 86_400_000
const refused = (status: number | null, retryAfterMs?: number) => ({
  failure: { status, error: status === null ? 'TIMEOUT' : null },
  retryAfterMs,
})

describe('retryAt', () => {
  test('follows the schedule, up to a fifth later, and ends after the last pause', () => {
    expect(SCHEDULE_MS.map((ms) => ms / 1000)).toEqual([5, 30, 120, 600, 1800, 7200, 18000, 36000, 50400, 72000, 86400])
    expect(SCHEDULE_MS.reduce((sum, ms) => sum + ms)).toBeGreaterThan(3 * DAY)
    expect(SCHEDULE_MS.map((_, i) => retryAt(NOW, i + 1, refused(500), 0)! - NOW)).toEqual(SCHEDULE_MS)
    expect(retryAt(NOW, 1, refused(500), 1)).toBe(NOW + 6_000)
    expect(retryAt(NOW, 12, refused(500), 0)).toBeUndefined()
  })

  test('waits for Retry-After, which neither makes a pause shorter nor adds an attempt', () => {
    expect(retryAt(NOW, 1, refused(503, 90_000), 0)).toBe(NOW + 90_000)
    expect(retryAt(NOW, 4, refused(503, 1_000), 0)).toBe(NOW + 10 * MINUTE)
    expect(retryAt(NOW, 12, refused(503, 1_000), 0)).toBeUndefined()
  })
})

describe('pausedUntil', () => {
  test.each([429, 502, 504])('returns pauses that double from 5 s to 5 min for the status %i', (status) => {
    const pauses = [1, 2, 3, 7, 30].map((failures) => pausedUntil(NOW, failures, refused(status), 0)! - NOW)
    expect(pauses).toEqual([5_000, 10_000, 20_000, 5 * MINUTE, 5 * MINUTE])
    expect(pausedUntil(NOW, 1, refused(status, 40 * MINUTE), 0)).toBe(NOW + 40 * MINUTE)
  })

  test('returns the time of Retry-After for 503, and null without the header', () => {
    expect(pausedUntil(NOW, 1, refused(503, MINUTE), 0)).toBe(NOW + MINUTE)
    expect(pausedUntil(NOW, 1, refused(503), 0)).toBeNull()
  })

  test.each([500, null])('returns a pause from the fifth failure in a row for %s, of at most a minute', (status) => {
    const pauses = [4, 5, 6, 30].map((failures) => pausedUntil(NOW, failures, refused(status), 0))
    expect(pauses).toEqual([null, NOW + 5_000, NOW + 10_000, NOW + MINUTE])
  })
})

describe('readRetryAfter', () => {
  test.each([
    ['120', 120_000],
    [' 5 ', 5_000],
    ['999999999', DAY],
    ['99999999999999999999', DAY],
    [new Date(NOW + 60_000).toUTCString(), 60_000],
    [new Date(NOW + 9 * DAY).toUTCString(), DAY],
    [new Date(NOW - 60_000).toUTCString(), undefined],
    // The three forms of a date in RFC 9110.
    ['Tue, 14 Nov 2023 22:14:20 GMT', 60_000],
    ['Tuesday, 14-Nov-23 22:14:20 GMT', 60_000],
    ['Tue Nov 14 22:14:20 2023', 60_000],
    ['0', undefined],
    ['-5', undefined],
    ['soon', undefined],
    ['in 2049', undefined],
    ['12/2/2049', undefined],
    ['1.5', undefined],
    ['120, 240', undefined],
    ['Tue, 99 Nov 2049 22:14:20 GMT', undefined],
    ['', undefined],
    [null, undefined],
  ])('reads %s', (header, expected) => {
    expect(readRetryAfter(header, NOW)).toBe(expected)
  })
})
