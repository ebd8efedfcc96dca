import { expect, test } from 'vitest'
import { takeRandom } from '../../server/crypto.ts'

test('takeRandom returns as many bytes as requested, and never repeats them when its pool is refilled', () => {
  const drawn = Array.from({ length: 2_000 }, () => takeRandom(16))
  expect(drawn.every(({ length }) => length === 16)).toBe(true)
  expect(new Set(drawn.map((bytes) => bytes.toString('hex'))).size).toBe(drawn.length)
})
