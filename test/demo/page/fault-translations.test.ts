import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { translateFault } from '../../../demo/page/fault-translations.ts'

const sourceOf = (name: string) => readFileSync(join(import.meta.dirname, '../../../demo/simulator', name), 'utf8')

/** The reasons of failures in the simulator's source code, with a number in place of each placeholder. */
const reasons = ['reply.ts', 'delivery.ts'].flatMap((name) =>
  [...sourceOf(name).matchAll(/(?:fault\(|reason: |fault: )\s*(['"`])(.*?)\1/g)].map(([, , text = '']) =>
    text.replace(/\$\{.*?\}/g, '200'),
  ),
)

describe('translateFault', () => {
  test('is tested with the reasons in the source code', () => {
    expect(reasons).toContain('dropped before the delivery')
    expect(reasons.length).toBeGreaterThan(15)
  })

  test.each(reasons.map((reason) => [reason]))('translates "%s" into Chinese', (reason) => {
    for (const lang of ['zh-CN', 'zh-TW'] as const) {
      const translated = translateFault(reason, lang)
      expect(translated).toMatch(/\p{Script=Han}/u)
      expect(translated).not.toMatch(/\p{Script=Han}[A-Za-z0-9]|[A-Za-z0-9]\p{Script=Han}/u)
    }
    expect(translateFault(reason, 'en')).toBe(reason)
  })

  test('does not translate codes', () => {
    expect(translateFault('STORE_UNAVAILABLE', 'zh-CN')).toBe('STORE_UNAVAILABLE')
    expect(translateFault('48001 api unauthorized', 'zh-CN')).toBe('48001 api unauthorized')
  })
})
