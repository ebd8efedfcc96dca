import { describe, expect, test } from 'vitest'
import { defaultConditions } from '../../../demo/conditions.ts'
import { parseSettings, readConditions, toLanguage, toSearch, withConditions } from '../../../demo/page/settings.ts'

const defaults = {
  lang: 'en',
  theme: 'auto',
  user: 'lin',
  person: 'amy',
  context: 'auto',
  network: 'up',
  follow: 'quick',
  authorize: 'allow',
  refresh: 'auto',
  wire: [],
  q: '',
}

describe('parseSettings', () => {
  test('parses every setting of the query', () => {
    const search =
      '?lang=zh-TW&theme=dark&user=test-slow&person=bo&context=wechat&network=down&follow=slow&authorize=decline&refresh=manual&wire=api,event&q=scan'
    expect(parseSettings(search, [])).toEqual({
      lang: 'zh-TW',
      theme: 'dark',
      user: 'test-slow',
      person: 'bo',
      context: 'wechat',
      network: 'down',
      follow: 'slow',
      authorize: 'decline',
      refresh: 'manual',
      wire: ['api', 'event'],
      q: 'scan',
    })
  })

  test.each(['', '?lang=xx&theme=blue&user=nobody&person=zoe', '?lang=&theme='])(
    'uses the defaults when the query is %o',
    (search) => {
      expect(parseSettings(search, [])).toEqual(defaults)
    },
  )
})

describe('toSearch', () => {
  test('writes a query that parseSettings can parse, and keeps other parameters', () => {
    const settings = parseSettings('?theme=dark&wire=browser,webhook', ['zh-CN'])
    expect(toSearch(settings, '?theme=light&person=bo&note=7')).toBe(
      '?theme=dark&note=7&lang=zh-CN&wire=browser,webhook',
    )
    expect(parseSettings(toSearch(settings, ''), [])).toEqual(settings)
  })
})

describe('withConditions', () => {
  test('writes the conditions that differ from the defaults, and readConditions can parse them', () => {
    const conditions = { ...defaultConditions, confirm: 'code', errcode: '48001' } as const
    const search = withConditions('?lang=en&store=down', conditions, defaultConditions)
    expect(search).toBe('?lang=en&confirm=code&errcode=48001')
    expect(readConditions(search)).toEqual({ confirm: 'code', errcode: '48001' })
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
  ])('maps %j to %s', (preferred, language) => {
    expect(toLanguage(preferred)).toBe(language)
  })
})
