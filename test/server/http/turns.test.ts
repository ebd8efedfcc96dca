import { expect, test } from 'vitest'
import { inTurns } from '../../../server/http/turns.ts'

const nextTurn = () => new Promise(setImmediate)

test('begins at most 32 calls in a turn of the event loop, in order', async () => {
  const begun: number[] = []
  const begin = inTurns((number: number) => begun.push(number))
  for (let i = 0; i < 70; i++) begin(i)
  const counts = [begun.length]
  for (let turn = 0; turn < 3; turn++) {
    await nextTurn()
    counts.push(begun.length)
  }
  expect(counts).toEqual([0, 32, 64, 70])
  expect(begun).toEqual(Array.from({ length: 70 }, (_, i) => i))
})

test('a call that arrives during a turn begins after the earlier ones', async () => {
  const begun: string[] = []
  const begin = inTurns((name: string) => {
    begun.push(name)
    if (name === 'first') begin('later')
  })
  begin('first')
  begin('second')
  await nextTurn()
  expect(begun).toEqual(['first', 'second'])
  await nextTurn()
  expect(begun).toEqual(['first', 'second', 'later'])
})
