import { describe, expect, test } from 'vitest'
import { createFormat } from '../../console/format.ts'

const SHANGHAI = 'Asia/Shanghai'
const NOW = Date.UTC(2026, 10, 27, 6, 20, 41, 250)
const SECOND = 1_000
const HOUR = 3_600 * SECOND

const en = createFormat('en', SHANGHAI)
const zh = createFormat('zh-CN', SHANGHAI)

describe('createFormat', () => {
  test('omits the date for a time of today, and the year for a date of the last months', () => {
    expect(en.time(NOW - HOUR, NOW)).toBe('13:20')
    expect(en.time(NOW - 15 * HOUR, NOW)).toBe('Nov 26, 23:20')
    expect(en.time(NOW - 400 * 24 * HOUR, NOW)).toBe('Oct 23, 2025')
    expect(zh.time(NOW - 15 * HOUR, NOW)).toBe('11月26日 23:20')
  })

  test('writes the exact time with milliseconds and the offset, in the time zone of the reader', () => {
    expect(en.exact(NOW)).toContain('14:20:41.250')
    expect(en.exact(NOW)).toContain('GMT+8')
    expect(createFormat('en', 'America/New_York').exact(NOW)).toContain('01:20:41.250')
  })

  test.each([
    [340, '340 ms', '340 毫秒'],
    [4_200, '4.2 sec', '4.2 秒'],
    [118 * SECOND, '118 sec', '118 秒'],
    [90 * 60 * SECOND, '90 min', '90 分钟'],
    [26 * HOUR, '26 hr', '26 小时'],
    [5 * 24 * HOUR, '5 days', '5 天'],
  ])('writes a duration of %d ms with one unit', (ms, english, chinese) => {
    expect([en.duration(ms), zh.duration(ms)]).toEqual([english, chinese])
  })

  test('writes a range of seconds with one unit, in minutes if both ends are whole minutes', () => {
    expect(en.seconds(5, 10)).toMatch(/^5\s?–\s?10 sec$/)
    expect(en.seconds(60, 120)).toMatch(/^60\s?–\s?120 sec$/)
    expect(en.seconds(120, 300)).toMatch(/^2\s?–\s?5 min$/)
    expect([en.narrow(60), en.narrow(300)]).toEqual(['60s', '5m'])
  })

  test('writes past and future times relative to now', () => {
    expect(en.ago(NOW - 4 * SECOND, NOW)).toBe('4 seconds ago')
    expect(en.ago(NOW + 26 * 60 * SECOND, NOW)).toBe('in 26 minutes')
    expect(zh.ago(NOW - 3 * HOUR, NOW)).toBe('3 小时前')
  })
})
