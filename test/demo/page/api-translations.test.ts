import { describe, expect, test } from 'vitest'
import { translateDescription } from '../../../demo/page/api-translations.ts'
import { openapi } from '../../../server/api/openapi.ts'

function descriptionsIn(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return []
  const own = 'description' in value && typeof value.description === 'string' ? [value.description] : []
  return [...own, ...Object.values(value).flatMap(descriptionsIn)]
}

describe('translateDescription', () => {
  test.each(['zh-CN', 'zh-TW'] as const)('translates every description of the API to %s', (lang) => {
    const texts = [...new Set(descriptionsIn(openapi))]
    expect(texts.length).toBeGreaterThan(30)
    expect(texts.filter((text) => !/\p{Script=Han}/u.test(translateDescription(text, lang)))).toEqual([])
  })

  test('translates each error title of a response, and changes nothing on an English page', () => {
    const text = 'UNAUTHORIZED: The credentials are not valid. TOKEN_EXPIRED: The widget token has expired'
    expect(translateDescription(text, 'zh-CN')).toBe('UNAUTHORIZED：凭据无效；TOKEN_EXPIRED：组件令牌已过期')
    expect(translateDescription(text, 'en')).toBe(text)
  })
})
