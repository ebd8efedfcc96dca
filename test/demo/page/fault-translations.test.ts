import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { toFaultWords } from '../../../demo/page/fault-translations.ts'

const sourceOf = (name: string) => readFileSync(join(import.meta.dirname, '../../../demo/simulator', name), 'utf8')

/** The reasons that stand in the simulator's sources, with a number in the place of what is filled in. */
const reasons = ['reply.ts', 'delivery.ts'].flatMap((name) =>
  [...sourceOf(name).matchAll(/(?:fault\(|reason: |fault: )\s*(['"`])(.*?)\1/g)].map(([, , text = '']) =>
    text.replace(/\$\{.*?\}/g, '200'),
  ),
)

describe('toFaultWords', () => {
  test('finds the reasons that it judges', () => {
    expect(reasons).toContain('dropped on its way')
    expect(reasons.length).toBeGreaterThan(15)
  })

  test.each(reasons.map((reason) => [reason]))('says "%s" in Chinese', (reason) => {
    for (const lang of ['zh-CN', 'zh-TW'] as const) {
      const said = toFaultWords(reason, lang)
      expect(said).toMatch(/\p{Script=Han}/u)
      expect(said).not.toMatch(/\p{Script=Han}[A-Za-z0-9]|[A-Za-z0-9]\p{Script=Han}/u)
    }
    expect(toFaultWords(reason, 'en')).toBe(reason)
  })

  test('leaves codes as they are', () => {
    expect(toFaultWords('STORE_UNAVAILABLE', 'zh-CN')).toBe('STORE_UNAVAILABLE')
    expect(toFaultWords('48001 api unauthorized', 'zh-CN')).toBe('48001 api unauthorized')
  })
})
