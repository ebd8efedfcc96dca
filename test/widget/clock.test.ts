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
  test('tells what has passed', () => {
    const now = createTestNow()
    pass({ wall: 1000, steady: 1000 })
    expect(now()).toBe(1000)
  })

  test('counts the time a laptop slept, in which one clock stood still', () => {
    const now = createTestNow()
    pass({ wall: 600_000, steady: 2000 })
    expect(now()).toBe(600_000)
  })

  test('never goes back when the clock is set back, and takes the jump forward once', () => {
    const now = createTestNow()
    pass({ wall: -3_600_000, steady: 1000 })
    expect(now()).toBe(1000)
    pass({ wall: 3_600_000, steady: 1000 })
    expect(now()).toBe(3_601_000)
    pass({ wall: -3_600_000, steady: 1000 })
    expect(now()).toBe(3_602_000)
  })
})
