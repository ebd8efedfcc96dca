import { describe, expect, test } from 'vitest'
import { sealEnvelope, TOKEN_TYPE } from '../../../server/keys/envelope.ts'
import { openToken, sealToken, type TokenRequest } from '../../../server/keys/widget-token.ts'

const KEY = new Uint8Array(32).fill(7)
const NOW = Date.UTC(2026, 0, 15, 8)
const IAT = NOW / 1000

const findKey = (kid: string) => (kid === 'k1' ? { secret: KEY, tenant: 'shop' } : undefined)
const open = (jwe: string, now = NOW) => openToken(jwe, findKey, now)
const mint = (more: Partial<TokenRequest> = {}) => sealToken({ account: 'acme', userId: 'u1', ...more }, 'k1', KEY, NOW)

/** Seals without the checks of `sealToken`, as another program may. */
const forge = (more: object = {}) =>
  sealEnvelope(
    { Account: 'acme', User_ID: 'u1', iat: IAT, exp: IAT + 900, ...more },
    { kid: 'k1', typ: TOKEN_TYPE },
    KEY,
  )

const refused = { code: 'UNAUTHORIZED', message: expect.stringMatching(/^The widget token was not accepted/) }

describe('sealToken', () => {
  test('seals account and user, by default for 15 minutes and with every scope', async () => {
    expect(await open(await mint())).toEqual({
      Account: 'acme',
      User_ID: 'u1',
      iat: IAT,
      exp: IAT + 900,
      scope: ['bind', 'unbind'],
      key: { secret: KEY, tenant: 'shop' },
    })
    expect(await open(await mint({ label: 'ab***@example.com', scope: ['bind'], ttlSeconds: 60 }))).toMatchObject({
      Label: 'ab***@example.com',
      scope: ['bind'],
      exp: IAT + 60,
    })
  })

  test.each<[string, Partial<TokenRequest>, string]>([
    ['an empty account', { account: '' }, 'Account'],
    ['a user id of 129 characters', { userId: 'u'.repeat(129) }, 'User_ID'],
    ['a lifetime of more than an hour', { ttlSeconds: 3601 }, 'exp must be later than iat, and at most 1 h after iat'],
    ['a lifetime of 0 s', { ttlSeconds: 0 }, 'exp'],
    ['a lifetime of half a second', { ttlSeconds: 0.5 }, 'exp'],
    ['a lifetime that is not a number', { ttlSeconds: Number.NaN }, 'exp'],
    ['an unknown scope', { scope: ['admin' as 'bind'] }, 'scope'],
    ['a label of 65 characters', { label: 'x'.repeat(65) }, 'Label'],
  ])('throws for %s before it returns a promise', async (_, more, name) => {
    expect(() => mint(more)).toThrow(
      expect.objectContaining({ code: 'BAD_REQUEST', message: expect.stringContaining(name) }),
    )
  })
})

describe('openToken', () => {
  test('throws TOKEN_EXPIRED for a genuine token that has expired', async () => {
    const token = await mint()
    expect((await open(token, NOW + 899_999)).User_ID).toBe('u1')
    await expect(open(token, NOW + 900_000)).rejects.toMatchObject({ code: 'TOKEN_EXPIRED' })
    expect((await open(await mint({ ttlSeconds: 3600 }), NOW + 3_599_000)).User_ID).toBe('u1')
  })

  test('accepts an iat at most 300 s in the future', async () => {
    const token = await mint()
    expect((await open(token, NOW - 300_000)).User_ID).toBe('u1')
    await expect(open(token, NOW - 301_000)).rejects.toMatchObject(refused)
  })

  test.each(['u', 'u'.repeat(128), '账'.repeat(128), '😀'.repeat(128), ' ', 'a b', "'; drop table", '../../x'])(
    'accepts the id %j unchanged',
    async (id) => {
      expect(await open(await forge({ Account: id, User_ID: id }))).toMatchObject({ Account: id, User_ID: id })
    },
  )

  test.each<[string, object]>([
    ['an empty id', { User_ID: '' }],
    ['an id of 129 characters', { User_ID: 'u'.repeat(129) }],
    ['an id of 129 code points', { Account: '😀'.repeat(129) }],
    ['an id that is a number', { User_ID: 1 }],
    ['an id that is null', { Account: null }],
    ['no id', { User_ID: undefined }],
    ['a line break in an id', { User_ID: 'a\nb' }],
    ['a NUL in an id', { User_ID: 'a\u0000' }],
    ['a DEL in an id', { User_ID: 'a\u007f' }],
    ['a C1 control in an id', { User_ID: 'a\u0085' }],
    ['an unpaired surrogate in an id', { User_ID: 'a\ud83d' }],
    ['a label of 65 characters', { Label: 'x'.repeat(65) }],
    ['a lifetime of more than an hour', { exp: IAT + 3601 }],
    ['an exp before its iat', { exp: IAT - 1 }],
    ['an exp equal to its iat', { exp: IAT }],
    ['no iat', { iat: undefined }],
    ['no exp', { exp: undefined }],
    ['times in milliseconds', { iat: NOW, exp: NOW + 900_000 }],
    ['an iat that is a string', { iat: String(IAT) }],
    ['an iat before 1970', { iat: -10, exp: 10 }],
    ['a scope that is not an array', { scope: 'bind' }],
    ['an unknown scope', { scope: ['bind', 'admin'] }],
  ])('refuses %s', async (_, more) => {
    await expect(open(await forge(more))).rejects.toMatchObject(refused)
  })

  test('keeps an empty scope empty', async () => {
    expect((await open(await forge({ scope: [] }))).scope).toEqual([])
  })

  test.each([null, 'text', 7, [], {}])('refuses the plaintext %j', async (plaintext) => {
    const jwe = await sealEnvelope(plaintext, { kid: 'k1', typ: TOKEN_TYPE }, KEY)
    await expect(open(jwe)).rejects.toMatchObject(refused)
  })

  test('ignores unknown claims', async () => {
    expect(await open(await forge({ Role: 'admin' }))).not.toHaveProperty('Role')
  })
})
