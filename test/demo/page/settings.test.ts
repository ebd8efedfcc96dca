import { describe, expect, test } from 'vitest'
import { parseSettings, toLanguage, toSearch } from '../../../demo/page/settings.ts'

const defaults = { lang: 'en', theme: 'auto', user: 'lin', person: 'amy' }

describe('parseSettings', () => {
  test('reads every setting from the query', () => {
    const search = '?lang=zh-TW&theme=dark&user=zhou&person=bo'
    expect(parseSettings(search, [])).toEqual({ lang: 'zh-TW', theme: 'dark', user: 'zhou', person: 'bo' })
  })

  test.each(['', '?lang=xx&theme=blue&user=nobody&person=zoe', '?lang=&theme='])(
    'takes the default for %o',
    (search) => {
      expect(parseSettings(search, [])).toEqual(defaults)
    },
  )
})

describe('toSearch', () => {
  test('writes what parseSettings reads, and keeps what is not its own', () => {
    const settings = parseSettings('?theme=dark', ['zh-CN'])
    const search = toSearch(settings, '?theme=light&note=7')
    expect(parseSettings(search, [])).toEqual(settings)
    expect(new URLSearchParams(search).get('note')).toBe('7')
  })
})

describe('toLanguage', () => {
  test.each([
    [['zh-CN'], 'zh-CN'],
    [['zh'], 'zh-CN'],
    [['zh-Hant-HK'], 'zh-TW'],
    [['zh-HK', 'en'], 'zh-TW'],
    [['fr-FR', 'zh-SG'], 'zh-CN'],
    [['en-GB', 'zh-CN'], 'en'],
    [['fr-FR'], 'en'],
  ])('makes of %j %s', (preferred, language) => {
    expect(toLanguage(preferred)).toBe(language)
  })
})
