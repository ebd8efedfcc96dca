import { describe, expect, test } from 'vitest'
import { sealEnvelope, TOKEN_TYPE } from '../../../server/keys/envelope.ts'
import { openToken, sealToken, type TokenRequest } from '../../../server/keys/widget-token.ts'

const KEY = new Uint8Array(32).fill(7)
const NOW = Date.UTC(2026, 0, 15, 8)
const IAT = NOW / 1000

const findKey = (kid: string) => (kid === 'k1' ? { secret: KEY, tenant: 'shop' } : undefined)
const open = (jwe: string, now = NOW) => openToken(jwe, findKey, now)
const mint = (more: Partial<TokenRequest> = {}) => sealToken({ account: 'acme', userId: 'u1', ...more }, 'k1', KEY, NOW)

/** Sealed past our own checks, as another program may do. */
const forge = (more: object = {}) =>
  sealEnvelope(
    { Account: 'acme', User_ID: 'u1', iat: IAT, exp: IAT + 900, ...more },
    { kid: 'k1', typ: TOKEN_TYPE },
    KEY,
  )

const refused = { code: 'UNAUTHORIZED', message: expect.stringMatching(/^The widget token was not accepted/) }

describe('sealToken', () => {
  test('says who, for a quarter of an hour and for everything, unless told otherwise', async () => {
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
    ['a life of more than an hour', { ttlSeconds: 3601 }, 'exp must be at most 1 h'],
    ['a life of nothing', { ttlSeconds: 0 }, 'exp'],
    ['a life in fractions', { ttlSeconds: 0.5 }, 'exp'],
    ['a life that is no number', { ttlSeconds: Number.NaN }, 'exp'],
    ['an unknown scope', { scope: ['admin' as 'bind'] }, 'scope'],
    ['a label of 65 characters', { label: 'x'.repeat(65) }, 'Label'],
  ])('refuses %s at once, in the product’s own back end', async (_, more, says) => {
    // Not yet a promise: the fault is in the caller's hands before anything is sealed.
    expect(() => mint(more)).toThrow(
      expect.objectContaining({ code: 'BAD_REQUEST', message: expect.stringContaining(says) }),
    )
  })
})

describe('openToken', () => {
  test('knows a token that has run out from one that is wrong', async () => {
    const token = await mint()
    expect((await open(token, NOW + 899_999)).User_ID).toBe('u1')
    await expect(open(token, NOW + 900_000)).rejects.toMatchObject({ code: 'TOKEN_EXPIRED' })
    expect((await open(await mint({ ttlSeconds: 3600 }), NOW + 3_599_000)).User_ID).toBe('u1')
  })

  test('bears a clock that runs 300 s ahead, and no more', async () => {
    const token = await mint()
    expect((await open(token, NOW - 300_000)).User_ID).toBe('u1')
    await expect(open(token, NOW - 301_000)).rejects.toMatchObject(refused)
  })

  test.each(['u', 'u'.repeat(128), '账'.repeat(128), '😀'.repeat(128), ' ', 'a b', "'; drop table", '../../x'])(
    'takes the id %j as it is',
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
    ['half a surrogate in an id', { User_ID: 'a\ud83d' }],
    ['a label of 65 characters', { Label: 'x'.repeat(65) }],
    ['a life of more than an hour', { exp: IAT + 3601 }],
    ['an end before its start', { exp: IAT - 1 }],
    ['an end at its start', { exp: IAT }],
    ['no iat', { iat: undefined }],
    ['no exp', { exp: undefined }],
    ['milliseconds', { iat: NOW, exp: NOW + 900_000 }],
    ['an iat in words', { iat: String(IAT) }],
    ['an iat before 1970', { iat: -10, exp: 10 }],
    ['a scope that is no list', { scope: 'bind' }],
    ['a scope of its own', { scope: ['bind', 'admin'] }],
  ])('refuses %s', async (_, more) => {
    await expect(open(await forge(more))).rejects.toMatchObject(refused)
  })

  test('allows nothing by an empty scope', async () => {
    expect((await open(await forge({ scope: [] }))).scope).toEqual([])
  })

  test.each([null, 'text', 7, [], {}])('refuses the plaintext %j', async (plaintext) => {
    const jwe = await sealEnvelope(plaintext, { kid: 'k1', typ: TOKEN_TYPE }, KEY)
    await expect(open(jwe)).rejects.toMatchObject(refused)
  })

  test('ignores members that it does not know', async () => {
    expect(await open(await forge({ Role: 'admin' }))).not.toHaveProperty('Role')
  })
})
