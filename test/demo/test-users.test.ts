import { describe, expect, test } from 'vitest'
import type { Demo } from '../../demo/demo.ts'
import { clientOf, start } from './demo-fixture.ts'

/** The browser API as a page of this user calls it. */
async function pageOf(demo: Demo, user: string) {
  const { token } = await (await fetch(`${demo.url}/host/token?user=${user}`)).json()
  const call = async (method: string, path: string) => {
    const headers = { Authorization: `Bearer ${token}` }
    return (await fetch(`${demo.url}/widget/${path}`, { method, headers })).json()
  }
  return {
    newCode: () => call('POST', 'qrcode'),
    look: () => call('GET', 'binding'),
    unbind: () => call('DELETE', 'binding'),
  }
}

const subject = (userId: string) => ({ account: 'acme', userId })

describe('createMagicUsers', () => {
  test.each(['off', 'reply', 'code'] as const)(
    'test-always-bound is bound whenever it is asked about, under CONFIRM=%s too',
    async (confirm) => {
      const demo = await start(undefined, { CONFIRM: confirm })
      const page = await pageOf(demo, 'test-always-bound')
      expect(await page.newCode()).toMatchObject({ state: 'bound' })
      await page.unbind()
      expect(await clientOf(demo).getBindInfo(subject('test-always-bound'))).toMatchObject({ IsBound: true })
    },
  )

  test('test-always-bound is bound in each account, by a WeChat of its own', async () => {
    const demo = await start()
    const openids = ['acme', 'other'].map(async (account) => {
      return (await clientOf(demo).getBindInfo({ account, userId: 'test-always-bound' })).OpenId
    })
    expect(new Set(await Promise.all(openids)).size).toBe(2)
  })

  test('test-expires gets codes of 3 s', async () => {
    const page = await pageOf(await start(), 'test-expires')
    expect((await page.newCode()).expiresIn).toBe(2)
  })

  test('test-conflict cannot be bound: to each scan its WeChat is another user’s', async () => {
    const demo = await start()
    const page = await pageOf(demo, 'test-conflict')
    const { url } = await page.newCode()
    const amy = demo.simulator.phone('amy')
    await amy.scan(url, { follow: true })
    expect(amy.chat).toMatchObject([{ content: expect.stringContaining('此微信已绑定其他账号') }])
    expect(await page.look()).toMatchObject({ state: 'unbound' })
  })

  test('test-unsubscribes leaves the account by itself', async () => {
    const demo = await start()
    const page = await pageOf(demo, 'test-unsubscribes')
    const { url } = await page.newCode()
    await demo.simulator.phone('amy').scan(url, { follow: true })
    expect(await page.look()).toMatchObject({ state: 'bound' })
    await expect.poll(page.look, { timeout: 10_000 }).toMatchObject({ state: 'unbound', reason: 'unsubscribe' })
  })

  test('test-slow waits, and nobody else does', async () => {
    const demo = await start()
    const slow = await pageOf(demo, 'test-slow')
    const order: string[] = []
    const looking = slow.look().then(() => order.push('test-slow'))
    await (await pageOf(demo, 'lin')).look().then(() => order.push('lin'))
    await looking
    expect(order).toEqual(['lin', 'test-slow'])
  })
})
