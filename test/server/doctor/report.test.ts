import { describe, expect, test } from 'vitest'
import { exitCodeOf, type Finding, ok, warn, wrong } from '../../../server/doctor/finding.ts'
import { toJson, toText } from '../../../server/doctor/report.ts'

const fault = { en: 'It is late.', zh: '太晚了。', fix: { en: 'Sleep.', zh: '请休息。' } }
const findings: Finding[] = [
  ok('a.ok', { en: 'All is well.', zh: '一切正常。' }),
  warn('b.late', fault),
  wrong('c.late', fault),
]

describe('toText', () => {
  test('prints each finding in both languages, with its fix, next to its level', () => {
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

1 ok, 1 warn, 1 wrong.
1 项正常（ok），1 项警告（warn），1 项错误（wrong）。
`)
  })

  test('prints the addresses of a finding once, four in a line', () => {
    const addresses = ['192.0.2.1', '192.0.2.2', '192.0.2.3', '192.0.2.4', '198.51.100.0/25']
    expect(toText([{ ...ok('a.ok', { en: 'All is well.', zh: '一切正常。' }), addresses }])).toContain(
      `         一切正常。
         192.0.2.1 192.0.2.2 192.0.2.3 192.0.2.4
         198.51.100.0/25
`,
    )
  })
})

describe('toJson', () => {
  test('is one object with the findings unchanged', () => {
    expect(JSON.parse(toJson(findings))).toEqual({ ok: false, findings })
    expect(JSON.parse(toJson(findings.slice(0, 2)))).toMatchObject({ ok: true })
  })
})

describe('exitCodeOf', () => {
  test('is 1 only if a finding has the level `wrong`', () => {
    expect([exitCodeOf([]), exitCodeOf(findings.slice(0, 2)), exitCodeOf(findings)]).toEqual([0, 0, 1])
  })
})
