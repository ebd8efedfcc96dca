import { describe, expect, test } from 'vitest'
import { messages } from '../../../demo/page/messages.ts'
import { playgroundMessages } from '../../../demo/page/playground-messages.ts'

const { en, ...chinese } = messages

describe('messages', () => {
  test.each(Object.entries(chinese))('%s translates every text', (_, translated) => {
    expect(Object.keys(translated)).toEqual(Object.keys(en))
    const same = Object.entries(translated).filter(([key, text]) => text === en[key as keyof typeof en])
    expect(same).toEqual([['openid', 'OpenID']])
  })

  test.each(Object.entries(chinese))('%s has a space between Chinese and Latin words', (_, translated) => {
    const HAN_BESIDE_LATIN = /\p{Script=Han}[A-Za-z]|[A-Za-z]\p{Script=Han}/u
    expect(Object.values(translated).filter((text) => HAN_BESIDE_LATIN.test(text))).toEqual([])
  })
})

describe('playgroundMessages', () => {
  const { en, ...chinese } = playgroundMessages
  test.each(Object.entries(chinese))('%s translates every text', (_, translated) => {
    expect(Object.keys(translated)).toEqual(Object.keys(en))
    expect(Object.entries(translated).filter(([key, text]) => text === en[key as keyof typeof en])).toEqual([])
  })
})
