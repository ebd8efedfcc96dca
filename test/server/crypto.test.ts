import { expect, test } from 'vitest'
import { takeRandom } from '../../server/crypto.ts'

test('takeRandom gives bytes of the size asked for, and never the same ones, also past the end of its pool', () => {
  const drawn = Array.from({ length: 2_000 }, () => takeRandom(16))
  expect(drawn.every(({ length }) => length === 16)).toBe(true)
  expect(new Set(drawn.map((bytes) => bytes.toString('hex'))).size).toBe(drawn.length)
})
