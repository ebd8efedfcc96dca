import { afterEach, describe, expect, test } from 'vitest'
import { createNow } from '../../widget/clock.ts'

const { now: wallNow } = Date
const { now: steadyNow } = performance
let wall = 0
let steady = 0

function pass(ms: { wall: number; steady: number }): void {
  wall += ms.wall
  steady += ms.steady
}

function createTestNow() {
  Date.now = () => wall
  performance.now = () => steady
  return createNow()
}

afterEach(() => {
  Date.now = wallNow
  performance.now = steadyNow
})

describe('createNow', () => {
  test('returns the elapsed time', () => {
    const now = createTestNow()
    pass({ wall: 1000, steady: 1000 })
    expect(now()).toBe(1000)
  })

  test('includes the time in which a laptop slept and one clock stopped', () => {
    const now = createTestNow()
    pass({ wall: 600_000, steady: 2000 })
    expect(now()).toBe(600_000)
  })

  test('does not decrease when the system clock is set back, and includes a jump forward only once', () => {
    const now = createTestNow()
    pass({ wall: -3_600_000, steady: 1000 })
    expect(now()).toBe(1000)
    pass({ wall: 3_600_000, steady: 1000 })
    expect(now()).toBe(3_601_000)
    pass({ wall: -3_600_000, steady: 1000 })
    expect(now()).toBe(3_602_000)
  })
})
