/** Tests the demo's API for the tests of other sites, which binds a person in one call and resets the demo. */
import { beforeEach, describe, expect, test } from 'vitest'
import type { Demo } from '../../demo/demo.ts'
import { clientOf, lin, start } from './demo-fixture.ts'

let demo: Demo
beforeEach(async () => {
  demo = await start()
})

const post = (path: string, body: object) =>
  fetch(`${demo.url}/demo/${path}`, { method: 'POST', body: JSON.stringify(body) })

describe('POST /demo/bind', () => {
  test.each(['off', 'reply', 'code'] as const)('binds a person at once with CONFIRM=%s', async (confirm) => {
    await demo.set({ confirm })
    expect((await post('bind/zoe', lin)).status).toBe(204)
    const { openid } = demo.simulator.phone('zoe')
    expect(await clientOf(demo).getBindInfo(lin)).toMatchObject({ IsBound: true, OpenId: openid })
  })

  test('answers 409 when the user is bound to another WeChat, and 400 without a user', async () => {
    await post('bind/zoe', lin)
    expect((await post('bind/yan', lin)).status).toBe(409)
    expect((await post('bind/yan', { account: 'acme' })).status).toBe(400)
  })
})

describe('POST /demo/reset', () => {
  const chen = { account: 'acme', userId: 'chen' }

  test('ends only the bindings of the people in the request', async () => {
    await Promise.all([post('bind/zoe', lin), post('bind/yan', chen)])
    expect((await post('reset', { people: ['zoe'] })).status).toBe(204)
    expect(await clientOf(demo).getBindInfo(lin)).toMatchObject({ IsBound: false })
    expect(await clientOf(demo).getBindInfo(chen)).toMatchObject({ IsBound: true })
    expect(demo.simulator.phone('zoe').following).toBeNull()
  })

  test('ends all bindings and resets the conditions when no people are named', async () => {
    await demo.set({ confirm: 'reply' })
    await post('bind/zoe', lin)
    await post('reset', {})
    expect(await clientOf(demo).getBindInfo(lin)).toMatchObject({ IsBound: false })
    expect(demo.conditions().confirm).toBe('off')
  })

  test('lets a test bind again after the reset, even within the same second', async () => {
    for (let round = 0; round < 3; round++) {
      expect((await post('bind/zoe', lin)).status).toBe(204)
      await post('reset', { people: ['zoe'] })
      expect(await clientOf(demo).getBindInfo(lin)).toMatchObject({ IsBound: false })
    }
  })
})
