import { describe, expect, test } from 'vitest'
import { toQrPath } from '../../../server/binding/qr-path.ts'
import { readQr } from '../../support/read-qr.ts'

// WeChat's answers have URLs of 43 to 46 characters.
const URL = 'http://weixin.qq.com/q/02w5ewATrlcNF1pHD2xy1Q'

describe('toQrPath', () => {
  test.each([URL, 'a', '绑定', `${URL}?${'x'.repeat(200)}`])(
    'draws %s so that a decoder reads it at three scales',
    (text) => {
      const qr = toQrPath(text)
      expect([2, 3, 7].map((scale) => readQr(qr, scale))).toEqual([text, text, text])
    },
  )

  test('draws a code that is readable without the modules in the middle', () => {
    const { size, path } = toQrPath(URL)
    const isStained = (at: number) => Math.abs(at - size / 2) < 4
    const stained = path.replace(/M(\d+) (\d+)\D[^M]+/g, (run, x, y) => (isStained(+x) && isStained(+y) ? '' : run))
    expect(stained.length).toBeLessThan(path.length - 100)
    expect(readQr({ size, path: stained })).toBe(URL)
  })

  test('draws every run of modules inside the square, and no two runs touch', () => {
    const { size, path } = toQrPath(URL)
    expect((size - 17) % 4).toBe(0)
    expect(path).toMatch(/^(M\d+ \d+h\d+v1h-\d+z)+$/)
    const runs = [...path.matchAll(/M(\d+) (\d+)h(\d+)v1h-(\d+)z/g)].map(([, ...run]) => run.map(Number))
    const ends = runs.map(([x = 0, y = 0, width = 0, back = 0]) => ({ x, y, end: x + width, isClosed: width === back }))
    expect(ends.every(({ y, end, isClosed }) => isClosed && y < size && end <= size)).toBe(true)
    expect(ends.some(({ x, y }, i) => i > 0 && ends[i - 1]?.y === y && x <= (ends[i - 1]?.end ?? 0))).toBe(false)
  })

  test('returns at most 6,000 characters for a URL of WeChat', () => {
    const { size, path } = toQrPath(URL)
    expect(size).toBe(33)
    expect(path.length).toBeLessThan(6_000)
  })
})
