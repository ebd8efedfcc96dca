import { describe, expect, test } from 'vitest'
import { createTrafficLog, type TrafficRequest } from '../../../demo/simulator/traffic-log.ts'

const request: TrafficRequest = {
  kind: 'wechat',
  at: 0,
  title: '/cgi-bin/token',
  method: 'GET',
  url: 'http://wechat.example/cgi-bin/token',
  headers: {},
  raw: '',
  opened: '',
}
const response = { tookMs: 7, status: 200, reply: 'ok', replyOpened: '', fault: '' }

describe('createTrafficLog', () => {
  test('contains a request before its response arrives, and notifies its listeners of the request and of the response', () => {
    const wire = createTrafficLog()
    let notifications = 0
    const unwatch = wire.watch(() => {
      notifications += 1
    })
    const end = wire.begin(request)
    expect(wire.since(0)).toMatchObject([{ id: 1, isPending: true, status: 0 }])
    const { revision } = wire.since(0)[0]!
    end(response)
    expect(wire.since(revision)).toMatchObject([{ id: 1, isPending: false, ...response }])
    unwatch()
    wire.add({ ...request, ...response })
    expect(notifications).toBe(2)
  })

  test('keeps the newest 500 entries', () => {
    const wire = createTrafficLog()
    for (let count = 0; count < 501; count += 1) wire.add({ ...request, ...response })
    expect(wire.since(0).map(({ id }) => id)).toEqual(Array.from({ length: 500 }, (_, index) => index + 2))
  })

  test('keeps at most 4 million characters in total, and 64,000 of each body', () => {
    const wire = createTrafficLog()
    for (let count = 0; count < 100; count += 1) wire.add({ ...request, ...response, raw: 'x'.repeat(1_000_000) })
    const entries = wire.since(0)
    expect(entries.at(-1)).toMatchObject({ id: 100, raw: `${'x'.repeat(64_000)}…` })
    expect(entries.reduce((sum, { raw }) => sum + raw.length, 0)).toBeLessThan(4_000_000)
    expect(entries.length).toBeGreaterThan(50)
  })
})
