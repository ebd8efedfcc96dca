import { describe, expect, test, vi } from 'vitest'
import { createKeyring } from '../../../server/keys/keyring.ts'
import { createTokenCache } from '../../../server/keys/token-cache.ts'
import { sealToken, type TokenRequest } from '../../../server/keys/widget-token.ts'

const NOW = Date.UTC(2026, 0, 15, 8)

const keyOf = (tenant: string, byte = 7) => ({ kid: 'k1', tenant, secret: new Uint8Array(32).fill(byte) })

function setUp(maxTokens = 10) {
  const time = { now: NOW }
  const keyring = createKeyring([keyOf('shop')])
  const nameOf = vi.fn(({ userId }: { userId: string }) => `name of ${userId}`)
  const principalOf = createTokenCache({ keyring, nameOf, clock: () => time.now, maxTokens })
  const mint = (more: Partial<TokenRequest> = {}) =>
    sealToken({ account: 'acme', userId: 'u1', ...more }, 'k1', keyOf('shop').secret, NOW)
  /** How many tokens were decrypted. */
  const opened = () => nameOf.mock.calls.length
  return { time, keyring, principalOf, mint, opened }
}

describe('createTokenCache', () => {
  test('returns the principal of a token, and decrypts each token once', async () => {
    const { principalOf, mint, opened } = setUp()
    const token = await mint({ label: 'ab***@example.com', scope: ['bind'] })
    const principal = {
      identity: { tenant: 'shop', account: 'acme', userId: 'u1' },
      name: 'name of u1',
      label: 'ab***@example.com',
      scope: ['bind'],
    }
    expect(await principalOf(token)).toEqual(principal)
    expect(await principalOf(token)).toEqual(principal)
    expect(opened()).toBe(1)
    expect(await principalOf(await mint())).toMatchObject({ label: null, scope: ['bind', 'unbind'] })
    expect(opened()).toBe(2)
  })

  test('refuses a cached token once it has expired', async () => {
    const { time, principalOf, mint } = setUp()
    const token = await mint({ ttlSeconds: 60 })
    await principalOf(token)
    time.now = NOW + 59_999
    expect((await principalOf(token)).name).toBe('name of u1')
    time.now = NOW + 60_000
    await expect(principalOf(token)).rejects.toMatchObject({ code: 'TOKEN_EXPIRED' })
    await expect(principalOf(token)).rejects.toMatchObject({ code: 'TOKEN_EXPIRED' })
  })

  test('refuses a cached token once its key is removed or replaced', async () => {
    const { keyring, principalOf, mint } = setUp()
    const token = await mint()
    await principalOf(token)
    keyring.replace([])
    await expect(principalOf(token)).rejects.toMatchObject({ code: 'UNAUTHORIZED' })
    keyring.replace([keyOf('shop', 8)])
    await expect(principalOf(token)).rejects.toMatchObject({ code: 'UNAUTHORIZED' })
  })

  test('returns the new tenant once the key of a cached token belongs to another tenant', async () => {
    const { keyring, principalOf, mint } = setUp()
    const token = await mint()
    await principalOf(token)
    keyring.replace([keyOf('other')])
    expect((await principalOf(token)).identity.tenant).toBe('other')
  })

  test('refuses a token that differs from a cached token in one character, and does not cache it', async () => {
    const { principalOf, mint } = setUp()
    const token = await mint()
    await principalOf(token)
    // Changes the first character of the ciphertext, because the last character of a part has unused bits.
    const [head = '', , iv, sealed = '', tag] = token.split('.')
    const changed = [head, '', iv, (sealed[0] === 'A' ? 'B' : 'A') + sealed.slice(1), tag].join('.')
    for (let i = 0; i < 2; i++) await expect(principalOf(changed)).rejects.toMatchObject({ code: 'UNAUTHORIZED' })
  })

  test('caches at most maxTokens: the oldest is decrypted again', async () => {
    const { principalOf, mint, opened } = setUp(2)
    const tokens = await Promise.all(['u1', 'u2', 'u3'].map((userId) => mint({ userId })))
    for (const token of tokens) await principalOf(token)
    for (const token of tokens.slice(1)) await principalOf(token)
    expect(opened()).toBe(3)
    expect((await principalOf(tokens[0]!)).identity.userId).toBe('u1')
    expect(opened()).toBe(4)
  })

  test('forgets the oldest tokens once they have expired or their key is removed, when others are added', async () => {
    const { time, keyring, principalOf, mint, opened } = setUp()
    const key = keyring.find('k1')!
    const [expiring, added, last] = await Promise.all([mint({ ttlSeconds: 60 }), mint(), mint()])
    await principalOf(expiring)
    time.now = NOW + 60_000
    await principalOf(added)
    // At the earlier time the token would be valid, but it is no longer there.
    time.now = NOW
    await principalOf(expiring)
    expect(opened()).toBe(3)
    keyring.replace([keyOf('other')])
    await principalOf(last)
    keyring.replace([key])
    await principalOf(added)
    await principalOf(expiring)
    expect(opened()).toBe(6)
  })
})
