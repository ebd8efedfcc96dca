import { describe, expect, test } from 'vitest'
import { checkClock } from '../../../server/doctor/clock.ts'
import { idsOf } from './doctor-fixture.ts'

describe('checkClock', () => {
  test.each([
    [0, 'clock.ok ok'],
    [60_000, 'clock.ok ok'],
    [60_001, 'clock.skewed warn'],
    [-60_001, 'clock.skewed warn'],
    [300_000, 'clock.skewed warn'],
    [300_001, 'clock.wrong wrong'],
    [-300_001, 'clock.wrong wrong'],
    [undefined, 'clock.unknown warn'],
  ])('finds for a clock that is %s ms ahead: %s', (skewMs, expected) => {
    expect(idsOf([checkClock(skewMs)])).toEqual([expected])
  })

  test('states the difference and its direction', () => {
    expect(checkClock(90_000)).toMatchObject({
      en: "This machine's clock is 90 s ahead of WeChat's.",
      zh: '本机时钟比微信快 90 秒。',
    })
    expect(checkClock(-400_000)).toMatchObject({
      en: "This machine's clock is 400 s behind WeChat's.",
      zh: '本机时钟比微信慢 400 秒。',
    })
  })
})
