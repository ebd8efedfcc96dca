import { describe, expect, test } from 'vitest'
import type { Demo } from '../../demo/demo.ts'
import { clientOf, start } from './demo-fixture.ts'

/** Calls the browser API in the same way as a page of this user. */
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

describe('createTestUsers', () => {
  test.each(['off', 'reply', 'code'] as const)(
    'test-always-bound is bound at every request, even with CONFIRM=%s',
    async (confirm) => {
      const demo = await start(undefined, { CONFIRM: confirm })
      const page = await pageOf(demo, 'test-always-bound')
      expect(await page.newCode()).toMatchObject({ state: 'bound' })
      await page.unbind()
      expect(await clientOf(demo).getBindInfo(subject('test-always-bound'))).toMatchObject({ IsBound: true })
    },
  )

  test('test-always-bound is bound in each account, with a separate WeChat account', async () => {
    const demo = await start()
    const openids = ['acme', 'other'].map(async (account) => {
      return (await clientOf(demo).getBindInfo({ account, userId: 'test-always-bound' })).OpenId
    })
    expect(new Set(await Promise.all(openids)).size).toBe(2)
  })

  test('test-expires gets QR codes that are valid for 3 s', async () => {
    const page = await pageOf(await start(), 'test-expires')
    expect((await page.newCode()).expiresIn).toBe(2)
  })

  test('test-conflict cannot be bound, because its WeChat account is bound to another user at each scan', async () => {
    const demo = await start()
    const page = await pageOf(demo, 'test-conflict')
    const { url } = await page.newCode()
    const amy = demo.simulator.phone('amy')
    await amy.scan(url, { follow: true })
    expect(amy.chat).toMatchObject([{ content: expect.stringContaining('此微信已绑定其他账号') }])
    expect(await page.look()).toMatchObject({ state: 'unbound' })
  })

  test('test-unsubscribes unfollows the account automatically after the binding', async () => {
    const demo = await start()
    const page = await pageOf(demo, 'test-unsubscribes')
    const { url } = await page.newCode()
    await demo.simulator.phone('amy').scan(url, { follow: true })
    expect(await page.look()).toMatchObject({ state: 'bound' })
    await expect.poll(page.look).toMatchObject({ state: 'unbound', reason: 'unsubscribe' })
  })

  test('test-slow gets its responses late, and other users do not', async () => {
    const demo = await start()
    const slow = await pageOf(demo, 'test-slow')
    const order: string[] = []
    const looking = slow.look().then(() => order.push('test-slow'))
    await (await pageOf(demo, 'lin')).look().then(() => order.push('lin'))
    await looking
    expect(order).toEqual(['lin', 'test-slow'])
  })
})
