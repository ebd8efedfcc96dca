import { expect, test } from 'vitest'
import { createBatchSize } from '../../../server/store/batch-size.ts'

test('begins with few rows, adds rows after short transactions, and removes rows after long ones', () => {
  const size = createBatchSize({ sizes: [25, 50, 100], longMs: 10, shortMs: 4 })
  const sizes = [1, 1, 1, 7, 30, 30, 30, 7, 1].map((tookMs) => {
    const present = size.present()
    size.note(tookMs)
    return present
  })
  expect(sizes).toEqual([25, 50, 100, 100, 100, 50, 25, 25, 25])
  expect(size.present()).toBe(50)
})
