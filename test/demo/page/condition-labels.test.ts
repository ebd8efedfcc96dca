import { describe, expect, test } from 'vitest'
import { conditionValues } from '../../../demo/conditions.ts'
import { conditionLabels } from '../../../demo/page/condition-labels.ts'
import { settingValues } from '../../../demo/page/settings.ts'

const { context, network, follow, authorize, refresh } = settingValues
const values = { ...conditionValues, context, network, follow, authorize, refresh }

describe('conditionLabels', () => {
  test.each(Object.entries(conditionLabels))(
    '%s has a label for each value of each setting, and no other labels',
    (_, settings) => {
      const named = Object.entries(settings).map(([name, setting]) => [name, Object.keys(setting.values).sort()])
      const there = Object.entries(values).map(([name, each]) => [name, [...each].sort()])
      expect(Object.fromEntries(named)).toEqual(Object.fromEntries(there))
    },
  )

  test('has different labels for the values of a setting', () => {
    const lists = Object.values(conditionLabels).flatMap((settings) =>
      Object.values(settings).map((each) => Object.values(each.values)),
    )
    expect(lists.filter((list) => new Set(list).size !== list.length)).toEqual([])
  })

  test.each(['zh-CN', 'zh-TW'] as const)('%s has a space between Chinese and Latin words', (lang) => {
    const texts = Object.values(conditionLabels[lang]).flatMap(({ label, values: each }) => [
      label,
      ...Object.values(each),
    ])
    expect(texts.filter((text) => /\p{Script=Han}[A-Za-z0-9]|[A-Za-z0-9]\p{Script=Han}/u.test(text))).toEqual([])
  })
})
