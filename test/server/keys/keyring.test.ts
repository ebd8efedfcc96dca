import { describe, expect, test } from 'vitest'
import { createKeyring, parseKeys } from '../../../server/keys/keyring.ts'

const bytes = (first: number) => Uint8Array.from({ length: 32 }, (_, i) => first + i)
const secret = (first: number) => Buffer.from(bytes(first)).toString('base64url')
const bilingual = /^[^|]+ \| [^|]*[\u4e00-\u9fff][^|]*$/

describe('parseKeys', () => {
  test('reads keys separated by commas or lines, and skips comments, spaces and empty entries', () => {
    const text = `# comment\r\n k1:${secret(1)} , k2:${secret(2)}:shop,\n\nk3:${secret(3)}=:shop\n`
    expect(parseKeys(text)).toEqual([
      { kid: 'k1', tenant: 'default', secret: bytes(1) },
      { kid: 'k2', tenant: 'shop', secret: bytes(2) },
      { kid: 'k3', tenant: 'shop', secret: bytes(3) },
    ])
  })

  test.each([
    ['an empty text', ''],
    ['only comments', '# none yet'],
    ['no secret', 'k1'],
    ['no kid', `:${secret(1)}`],
    ['a short secret', `k1:${secret(1).slice(1)}`],
    ['a long secret', `k1:${secret(1)}A`],
    ['a secret in standard base64', `k1:${secret(1).slice(0, -1)}+`],
    ['an empty tenant', `k1:${secret(1)}:`],
    ['a fourth part', `k1:${secret(1)}:shop:more`],
    ['a kid of 65 characters', `${'k'.repeat(65)}:${secret(1)}`],
    ['a valid key before an invalid one', `k1:${secret(1)},k2`],
  ])('refuses %s in both languages, without the secret', (_, text) => {
    expect(() => parseKeys(text)).toThrow(TypeError)
    expect(() => parseKeys(text)).toThrow(bilingual)
    expect(() => parseKeys(text)).toThrow(expect.objectContaining({ message: expect.not.stringContaining(secret(1)) }))
  })

  test('refuses a duplicate kid, and names it', () => {
    const text = `k1:${secret(1)},k1:${secret(2)}:shop`
    expect(() => parseKeys(text)).toThrow(/"k1" twice.* \| .*“k1”/)
  })

  test('refuses a secret of 32 zeros, and names its kid', () => {
    const text = `k1:${secret(1)},k2:${Buffer.alloc(32).toString('base64url')}`
    expect(() => parseKeys(text)).toThrow(/"k2" a secret of zeros.* \| .*“k2”/)
  })

  test.each([
    ['', ''],
    ['=', ''],
    ['', '='],
  ])('refuses one secret for two tenants, written as secret%s and secret%s', (first, second) => {
    const text = `k1:${secret(1)}${first},k3:${secret(3)},k2:${secret(1)}${second}:shop`
    expect(() => parseKeys(text)).toThrow(/two tenants the same secret \(keys "k1" and "k2"\).* \| .*“k1”与“k2”/)
    expect(() => parseKeys(text)).toThrow(expect.objectContaining({ message: expect.not.stringContaining(secret(1)) }))
  })

  test('refuses one secret for two tenants even if its unused last bits differ', () => {
    const text = secret(1)
    const surplus = `${text.slice(0, -1)}${String.fromCharCode(text.charCodeAt(42) + 1)}`
    expect(Buffer.from(surplus, 'base64url')).toEqual(Buffer.from(bytes(1)))
    expect(() => parseKeys(`k1:${text},k2:${surplus}:shop`)).toThrow('two tenants the same secret')
  })

  test('accepts one secret under two kids of one tenant', () => {
    expect(parseKeys(`k1:${secret(1)},k2:${secret(1)}`)).toHaveLength(2)
  })
})

describe('createKeyring', () => {
  const keys = parseKeys(`k1:${secret(1)},k2:${secret(2)}:shop,k3:${secret(3)}:shop`)

  test('finds a key only by its exact kid', () => {
    const keyring = createKeyring(keys)
    expect(keyring.find('k2')).toBe(keys[1])
    for (const kid of ['', 'K1', 'k1 ', 'toString', '__proto__']) expect(keyring.find(kid)).toBeUndefined()
  })

  test('lists each tenant once', () => {
    expect(createKeyring(keys).tenants()).toEqual(['default', 'shop'])
  })

  test('finds only the new keys after replace', () => {
    const keyring = createKeyring(keys)
    keyring.replace(parseKeys(`k4:${secret(4)}:other`))
    expect([keyring.find('k1'), keyring.find('k4')?.tenant]).toEqual([undefined, 'other'])
    expect(keyring.tenants()).toEqual(['other'])
  })
})
