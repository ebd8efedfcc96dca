import { describe, expect, test } from 'vitest'
import { startOfDay, toBuckets } from '../../console/buckets.ts'
import { NOW, toOverview } from './support/console-data.ts'

const HOUR = 3_600_000
const DAY = 24 * HOUR

/** The days of Shanghai, which has no daylight-saving time. */
const dayOf = (ms: number) => Math.floor((ms + 8 * HOUR) / DAY) * DAY - 8 * HOUR

describe('toBuckets', () => {
  test('returns one point per hour for 24 hours, and marks the first and the last point as incomplete', () => {
    const buckets = toBuckets(toOverview('24h', undefined), dayOf)
    expect(buckets).toHaveLength(25)
    expect(buckets.flatMap(({ isPart }, index) => (isPart ? [index] : []))).toEqual([0, 24])
  })

  test.each(['7d', '30d'] as const)('sums the hours of %s for each day of the reader, and loses no hour', (range) => {
    const overview = toOverview(range, undefined)
    const buckets = toBuckets(overview, dayOf)
    expect(buckets.map(({ at }) => (at + 8 * HOUR) % DAY)).toEqual(buckets.map(() => 0))
    expect(buckets.at(-1)).toMatchObject({ at: dayOf(NOW), isPart: true })
    expect(buckets.reduce((sum, { binds }) => sum + binds, 0)).toBe(overview.funnel.bound)
    expect(buckets.reduce((sum, { unbinds }) => sum + unbinds, 0)).toBe(overview.funnel.unbound)
  })

  test('marks a day as incomplete even if only its last hour is missing', () => {
    const overview = toOverview('7d', undefined)
    const until = dayOf(NOW) + 23 * HOUR
    const from = until - 6 * DAY - 23 * HOUR
    const series = Array.from({ length: 7 * 24 - 1 }, (_, i) => ({ ...overview.funnel, at: from + i * HOUR }))
    const buckets = toBuckets({ ...overview, from, until, series }, dayOf)
    expect(buckets.map(({ isPart }) => isPart)).toEqual([false, false, false, false, false, false, true])
  })
})

describe('startOfDay', () => {
  test('returns midnight in the time zone of the browser', () => {
    const day = new Date(startOfDay(NOW))
    expect([day.getHours(), day.getMinutes(), day.getSeconds()]).toEqual([0, 0, 0])
    expect(NOW - day.getTime()).toBeLessThan(25 * HOUR)
  })
})
