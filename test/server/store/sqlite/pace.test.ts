import { expect, test } from 'vitest'
import { createPace } from '../../../../server/store/sqlite/pace.ts'

function createFixture(restFactor: number) {
  const pauses: number[] = []
  let now = 1_000
  const delay = async (ms: number) => {
    pauses.push(ms)
    now += ms
  }
  const pass = (ms: number) => {
    now += ms
  }
  return { pace: createPace(restFactor, { now: () => now, delay }), pauses, pass }
}

test('the pause is a multiple of the time of the last transaction', async () => {
  const { pace, pauses } = createFixture(3)
  await pace.rest()
  pace.note(8)
  await pace.rest()
  await pace.rest()
  pace.note(2)
  await pace.rest()
  expect(pauses).toEqual([24, 6])
})

test('time that has passed since the transaction counts', async () => {
  const { pace, pauses, pass } = createFixture(1)
  pace.note(10)
  pass(4)
  await pace.rest()
  expect(pauses).toEqual([6])
})

test('a pause of less than a millisecond is left out', async () => {
  const { pace, pauses } = createFixture(3)
  pace.note(0.3)
  await pace.rest()
  expect(pauses).toEqual([])
})

test('the pause of a longer transaction is not cut short by a shorter one, nor by the end of an earlier pause', async () => {
  const { pace, pauses } = createFixture(1)
  pace.note(10)
  pace.note(2)
  const rested = pace.rest()
  pace.note(30)
  await rested
  expect(pauses).toEqual([10, 30])
})

test('a pause takes at most a second', async () => {
  const { pace, pauses } = createFixture(3)
  pace.note(5_000)
  await pace.rest()
  expect(pauses).toEqual([1_000])
})

test('there is no pause after the stop', async () => {
  const { pace, pauses } = createFixture(3)
  pace.note(50)
  pace.stop()
  await pace.rest()
  expect(pauses).toEqual([])
})
