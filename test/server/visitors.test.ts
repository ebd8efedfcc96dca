import { describe, expect, test, vi } from 'vitest'
import { createKeyring } from '../../server/keyring.ts'
import { sealToken, type TokenRequest } from '../../server/token.ts'
import { createVisitors } from '../../server/visitors.ts'

const NOW = Date.UTC(2026, 0, 15, 8)

const keyOf = (tenant: string, byte = 7) => ({ kid: 'k1', tenant, secret: new Uint8Array(32).fill(byte) })

function setUp(most = 10) {
  const time = { now: NOW }
  const keyring = createKeyring([keyOf('shop')])
  const nameOf = vi.fn(({ userId }: { userId: string }) => `name of ${userId}`)
  const visitorOf = createVisitors({ keyring, nameOf, clock: () => time.now, most })
  const mint = (more: Partial<TokenRequest> = {}) =>
    sealToken({ account: 'acme', userId: 'u1', ...more }, 'k1', keyOf('shop').secret, NOW)
  /** How many tokens were opened. */
  const opened = () => nameOf.mock.calls.length
  return { time, keyring, visitorOf, mint, opened }
}

describe('createVisitors', () => {
  test('says who asks, the same from memory', async () => {
    const { visitorOf, mint, opened } = setUp()
    const token = await mint({ label: 'ab***@example.com', scope: ['bind'] })
    const visitor = {
      identity: { tenant: 'shop', account: 'acme', userId: 'u1' },
      name: 'name of u1',
      label: 'ab***@example.com',
      scope: ['bind'],
    }
    expect(await visitorOf(token)).toEqual(visitor)
    expect(await visitorOf(token)).toEqual(visitor)
    expect(opened()).toBe(1)
    expect(await visitorOf(await mint())).toMatchObject({ label: null, scope: ['bind', 'unbind'] })
    expect(opened()).toBe(2)
  })

  test('a remembered token runs out when it says', async () => {
    const { time, visitorOf, mint } = setUp()
    const token = await mint({ ttlSeconds: 60 })
    await visitorOf(token)
    time.now = NOW + 59_999
    expect((await visitorOf(token)).name).toBe('name of u1')
    time.now = NOW + 60_000
    await expect(visitorOf(token)).rejects.toMatchObject({ code: 'TOKEN_EXPIRED' })
    await expect(visitorOf(token)).rejects.toMatchObject({ code: 'TOKEN_EXPIRED' })
  })

  test('a remembered token is worth nothing once its key is taken away or is another', async () => {
    const { keyring, visitorOf, mint } = setUp()
    const token = await mint()
    await visitorOf(token)
    keyring.replace([])
    await expect(visitorOf(token)).rejects.toMatchObject({ code: 'UNAUTHORIZED' })
    keyring.replace([keyOf('shop', 8)])
    await expect(visitorOf(token)).rejects.toMatchObject({ code: 'UNAUTHORIZED' })
  })

  test('a key that is given to another tenant takes its tokens along', async () => {
    const { keyring, visitorOf, mint } = setUp()
    const token = await mint()
    await visitorOf(token)
    keyring.replace([keyOf('other')])
    expect((await visitorOf(token)).identity.tenant).toBe('other')
  })

  test('what differs in one character of one that is remembered is refused, and not remembered', async () => {
    const { visitorOf, mint } = setUp()
    const token = await mint()
    await visitorOf(token)
    // In the middle: the last character of base64url has bits that say nothing.
    const [head = '', , iv, sealed = '', tag] = token.split('.')
    const changed = [head, '', iv, (sealed[0] === 'A' ? 'B' : 'A') + sealed.slice(1), tag].join('.')
    for (let i = 0; i < 2; i++) await expect(visitorOf(changed)).rejects.toMatchObject({ code: 'UNAUTHORIZED' })
  })

  test('remembers no more than it may: the oldest is opened again', async () => {
    const { visitorOf, mint, opened } = setUp(2)
    const tokens = await Promise.all(['u1', 'u2', 'u3'].map((userId) => mint({ userId })))
    for (const token of tokens) await visitorOf(token)
    for (const token of tokens.slice(1)) await visitorOf(token)
    expect(opened()).toBe(3)
    expect((await visitorOf(tokens[0]!)).identity.userId).toBe('u1')
    expect(opened()).toBe(4)
  })
})
