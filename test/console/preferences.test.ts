import { describe, expect, test } from 'vitest'
import { messages } from '../../console/messages.ts'
import { languages, readPreferences, toLanguage, writePreferences } from '../../console/preferences.ts'

const storageWith = (value: string | null): Storage => ({ getItem: () => value }) as unknown as Storage

describe('readPreferences', () => {
  test.each([null, 'not JSON', 'null', '{"lang":"fr","theme":"pink"}'])(
    'returns the browser’s language and the system’s theme if the storage contains %j',
    (stored) => {
      expect(readPreferences(storageWith(stored), ['zh-HK', 'en'])).toEqual({ lang: 'zh-TW', theme: 'auto' })
    },
  )

  test('reads what writePreferences writes', () => {
    let stored: string | null = null
    const storage = {
      getItem: () => stored,
      setItem(_key: string, value: string) {
        stored = value
      },
    } as unknown as Storage
    writePreferences(storage, { lang: 'zh-CN', theme: 'dark' })
    expect(readPreferences(storage, ['en'])).toEqual({ lang: 'zh-CN', theme: 'dark' })
  })

  test('uses the defaults and does not throw if the browser blocks the storage', () => {
    const blocked = new Proxy({} as Storage, {
      get: () => () => {
        throw new DOMException('blocked', 'SecurityError')
      },
    })
    expect(readPreferences(blocked, ['en'])).toEqual({ lang: 'en', theme: 'auto' })
    expect(() => writePreferences(blocked, { lang: 'en', theme: 'dark' })).not.toThrow()
  })
})

describe('toLanguage', () => {
  test.each([
    [['fr', 'zh-MO'], 'zh-TW'],
    [['zh'], 'zh-CN'],
    [['fr'], 'en'],
  ])('maps the browser languages %j to %s', (preferred, lang) => {
    expect(toLanguage(preferred)).toBe(lang)
  })
})

describe('messages', () => {
  test('contain the same reasons in every language', () => {
    const names = languages.map((lang) => Object.keys(messages[lang].reasons).sort())
    expect(names[1]).toEqual(names[0])
    expect(names[2]).toEqual(names[0])
  })
})
