import { describe, expect, test } from 'vitest'
import { schemas } from '../../../server/api/openapi/schemas.ts'
import { toPayload } from '../../../server/outbound/webhook-payload.ts'

const longest = {
  uid: `evt_${'a'.repeat(22)}`,
  identity: { tenant: '租'.repeat(64), account: '😀'.repeat(128), userId: '😀'.repeat(128) },
  type: 'updated' as const,
  reason: 'unsubscribed' as const,
  version: Number.MAX_SAFE_INTEGER,
  at: 1_700_000_000_000,
  appId: `wx${'a'.repeat(62)}`,
  openid: 'o'.repeat(128),
  unionid: 'u'.repeat(128),
}

type Schema = { properties: Record<string, Schema & { enum?: string[] }>; required: string[] }

describe('toPayload', () => {
  test('makes a body below 2 kB, even from the longest ids', () => {
    expect(Buffer.byteLength(JSON.stringify(toPayload(longest)))).toBeLessThan(2_000)
  })

  test.each(['bound', 'updated', 'unbound'] as const)('matches the schema `Event` of the description: %s', (type) => {
    const payload = toPayload({ ...longest, type })
    const { properties, required } = schemas.Event as Schema
    const { data } = properties
    expect(Object.keys(payload)).toEqual(required)
    expect(properties.type?.enum).toContain(payload.type)
    expect(Object.keys(data!.properties)).toEqual(expect.arrayContaining(Object.keys(payload.data)))
    expect(Object.keys(payload.data)).toEqual(expect.arrayContaining(data!.required))
  })
})
