import { describe, expect, test } from 'vitest'
import { failPending, merge, search } from '../../../demo/page/traffic-entries.ts'
import type { WireEntry } from '../../../demo/simulator/traffic-log.ts'

const entry = (id: number, more: Partial<WireEntry> = {}): WireEntry => ({
  id,
  revision: id,
  isPending: false,
  kind: 'api',
  at: id,
  title: 'GetQrCode',
  method: 'POST',
  url: 'http://bind.example/api/WeChat/GetQrCode',
  headers: {},
  raw: '',
  opened: '',
  tookMs: 1,
  status: 200,
  reply: '',
  replyOpened: '',
  fault: '',
  ...more,
})

const idsOf = (entries: WireEntry[]) => entries.map(({ id }) => id)

describe('merge', () => {
  test('replaces changed entries, and sorts by time', () => {
    const merged = merge([entry(1), entry(3, { isPending: true })], [entry(3), entry(-1, { at: 2 })])
    expect(idsOf(merged)).toEqual([1, -1, 3])
    expect(merged[2]?.isPending).toBe(false)
  })

  test('keeps the newest 500 entries', () => {
    const many = Array.from({ length: 600 }, (_, index) => entry(index + 1))
    expect(idsOf(merge([], many))).toEqual(idsOf(many.slice(100)))
  })
})

describe('failPending', () => {
  test('marks pending entries as failed, and does not change other entries', () => {
    expect(failPending([entry(1), entry(2, { isPending: true, status: 0 })])).toEqual([
      entry(1),
      entry(2, { status: 0, fault: 'no answer' }),
    ])
  })
})

describe('search', () => {
  const entries = [
    entry(1, { kind: 'callback', opened: '<Event><![CDATA[SCAN]]></Event>' }),
    entry(2, { fault: 'NOT_BOUND' }),
    entry(3, { kind: 'webhook', reply: 'scan of 微信' }),
  ]

  test.each([
    [[], '', [1, 2, 3]],
    [['callback', 'api'] as const, '', [1, 2]],
    [[], 'scan', [1, 3]],
    [[], 'not_bound', [2]],
    [[], '微信 SCAN', [3]],
    [['api'] as const, 'scan', []],
  ])('finds the entries with the kinds %j and the words %o', (kinds, q, ids) => {
    expect(idsOf(search(entries, [...kinds], q))).toEqual(ids)
  })
})
