import { describe, expect, test } from 'vitest'
import { createActiveRequests } from '../../../server/outbound/active-requests.ts'
import { createFakeTime } from '../../support/fake-time.ts'

const MAX = 48

function open(count = 0) {
  const time = createFakeTime()
  let rooms = 0
  const active = createActiveRequests(time.setTimer, () => {
    rooms++
  })
  const ends = Array.from({ length: count }, active.begin)
  return { ...active, ends, time, roomCount: () => rooms }
}

describe('createActiveRequests', () => {
  test('counts a request once, until its answer', () => {
    const { room, ends, time } = open(MAX)
    expect(room()).toBe(0)
    ends[0]?.()
    ends[0]?.()
    expect(room()).toBe(1)
    expect(time.pending()).toBe(MAX - 1)
  })

  test('does not count a request that takes longer than a second, and then reports room', () => {
    const { room, ends, time, roomCount } = open(1)
    time.advance(999)
    expect([room(), roomCount()]).toEqual([MAX - 1, 0])
    time.advance(1)
    expect([room(), roomCount()]).toEqual([MAX, 1])
    ends[0]?.()
    expect(room()).toBe(MAX)
  })

  test('reports room once half of the requests are answered, so that one claim takes many notices', () => {
    const { ends, roomCount } = open(MAX)
    for (const end of ends.slice(0, MAX / 2 - 1)) end()
    expect(roomCount()).toBe(0)
    ends[MAX / 2]?.()
    expect(roomCount()).toBe(1)
  })
})
