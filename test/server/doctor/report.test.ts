import { describe, expect, test } from 'vitest'
import { exitCodeOf, type Finding, ok, warn, wrong } from '../../../server/doctor/finding.ts'
import { toJson, toText } from '../../../server/doctor/report.ts'

const trouble = { en: 'It is late.', zh: '太晚了。', fix: { en: 'Sleep.', zh: '请休息。' } }
const findings: Finding[] = [
  ok('a.ok', { en: 'All is well.', zh: '一切正常。' }),
  warn('b.late', trouble),
  wrong('c.late', trouble),
]

describe('toText', () => {
  test('hangs both languages and the fix from the level', () => {
    expect(toText(findings)).toBe(`wechat-bind doctor

  ok     All is well.
         一切正常。

  warn   It is late.
         太晚了。
         fix   Sleep.
         修复  请休息。

  wrong  It is late.
         太晚了。
         fix   Sleep.
         修复  请休息。

1 ok, 1 to look at (warn), 1 wrong.
1 项正常（ok），1 项需留意（warn），1 项有误（wrong）。
`)
  })
})

describe('toJson', () => {
  test('is one object with the findings as they are', () => {
    expect(JSON.parse(toJson(findings))).toEqual({ ok: false, findings })
    expect(JSON.parse(toJson(findings.slice(0, 2)))).toMatchObject({ ok: true })
  })
})

describe('exitCodeOf', () => {
  test('is 1 only when something is wrong', () => {
    expect([exitCodeOf([]), exitCodeOf(findings.slice(0, 2)), exitCodeOf(findings)]).toEqual([0, 0, 1])
  })
})
