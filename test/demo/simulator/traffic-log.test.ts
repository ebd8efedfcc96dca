import { describe, expect, test } from 'vitest'
import { type Asked, createWire } from '../../../demo/simulator/traffic-log.ts'

const asked: Asked = {
  kind: 'wechat',
  at: 0,
  title: '/cgi-bin/token',
  method: 'GET',
  url: 'http://wechat.example/cgi-bin/token',
  headers: {},
  raw: '',
  opened: '',
}
const answered = { tookMs: 7, status: 200, reply: 'ok', replyOpened: '', fault: '' }

describe('createWire', () => {
  test('shows a request before its answer, and tells its watchers of both', () => {
    const wire = createWire()
    let told = 0
    const unwatch = wire.watch(() => {
      told += 1
    })
    const end = wire.begin(asked)
    expect(wire.since(0)).toMatchObject([{ id: 1, isPending: true, status: 0 }])
    const { revision } = wire.since(0)[0]!
    end(answered)
    expect(wire.since(revision)).toMatchObject([{ id: 1, isPending: false, ...answered }])
    unwatch()
    wire.add({ ...asked, ...answered })
    expect(told).toBe(2)
  })

  test('keeps the newest 500', () => {
    const wire = createWire()
    for (let count = 0; count < 501; count += 1) wire.add({ ...asked, ...answered })
    expect(wire.since(0).map(({ id }) => id)).toEqual(Array.from({ length: 500 }, (_, index) => index + 2))
  })

  test('keeps no more than 4 million characters, and 64,000 of a single body', () => {
    const wire = createWire()
    for (let count = 0; count < 100; count += 1) wire.add({ ...asked, ...answered, raw: 'x'.repeat(1_000_000) })
    const entries = wire.since(0)
    expect(entries.at(-1)).toMatchObject({ id: 100, raw: `${'x'.repeat(64_000)}…` })
    expect(entries.reduce((sum, { raw }) => sum + raw.length, 0)).toBeLessThan(4_000_000)
    expect(entries.length).toBeGreaterThan(50)
  })
})
