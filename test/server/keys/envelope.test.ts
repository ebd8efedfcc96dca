import { CompactEncrypt, type CompactJWEHeaderParameters } from 'jose'
import { describe, expect, test } from 'vitest'
import { openEnvelope, sealEnvelope, TOKEN_TYPE } from '../../../server/keys/envelope.ts'
import { openToken, sealToken } from '../../../server/keys/widget-token.ts'

const KEY = new Uint8Array(32).fill(7)
const OTHER_KEY = new Uint8Array(32).fill(8)
const findKey = (kid: string) => (kid === 'k1' ? { secret: KEY, tenant: 'shop' } : undefined)
const open = (jwe: string, typ?: string) => openEnvelope(jwe, typ, findKey)

/** Every fault gives the same code and message, without a cause. */
const REFUSED = [
  'UNAUTHORIZED',
  'The body was not accepted: it must be a compact JWE with dir and A256GCM, with a kid and key of this server.',
  undefined,
]
const faultOf = (opening: Promise<unknown>) =>
  opening.then(
    () => 'accepted',
    ({ code, message, cause }) => [code, message, cause],
  )

const GOOD: CompactJWEHeaderParameters = { alg: 'dir', enc: 'A256GCM', kid: 'k1', jti: 'j1' }

/** Seals with jose alone, as a client in another language would. */
const seal = (header: object, key: Uint8Array = KEY, plaintext: Uint8Array = Buffer.from('{"a":1}')) =>
  new CompactEncrypt(plaintext).setProtectedHeader({ ...GOOD, ...header }).encrypt(key)

const base64url = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')

describe('sealEnvelope', () => {
  test('makes a compact JWE, dir and A256GCM, without an encrypted key', async () => {
    const parts = (await sealEnvelope({ a: 1 }, { kid: 'k1', jti: 'j1' }, KEY)).split('.')
    expect(JSON.parse(Buffer.from(parts[0] ?? '', 'base64url').toString())).toEqual(GOOD)
    expect(parts.map((part) => Buffer.from(part, 'base64url').length).slice(1)).toEqual([0, 12, 7, 16])
  })

  test('makes a different envelope each time from the same plaintext', async () => {
    const sealed = await Promise.all([1, 2].map(() => sealEnvelope({}, { kid: 'k1' }, KEY)))
    expect(sealed[0]).not.toBe(sealed[1])
  })
})

describe('openEnvelope', () => {
  test('opens a sealed envelope, and returns its text, header and key', async () => {
    const jwe = await sealEnvelope({ Label: '账号😀' }, { kid: 'k1', jti: 'j2', req: 'j1' }, KEY)
    expect(await open(jwe)).toEqual({
      text: '{"Label":"账号😀"}',
      header: { kid: 'k1', jti: 'j2', req: 'j1' },
      key: { secret: KEY, tenant: 'shop' },
    })
  })

  test('opens an envelope of another JOSE library, with typ and cty', async () => {
    expect((await open(await seal({ typ: 'JOSE', cty: 'application/json' }))).text).toBe('{"a":1}')
  })

  test('ignores a jti that is not a string', async () => {
    expect((await open(await seal({ jti: 7 }))).header).toEqual({ kid: 'k1' })
  })

  test.each<[string, () => Promise<string>]>([
    ['an unknown kid', () => seal({ kid: 'k2' })],
    ['a kid that is not a string', () => seal({ kid: 1 as never })],
    ['no kid', () => seal({ kid: undefined })],
    ['another key', () => seal({}, OTHER_KEY)],
    ['enc A128GCM', () => seal({ enc: 'A128GCM' }, KEY.slice(16))],
    ['enc A128CBC-HS256', () => seal({ enc: 'A128CBC-HS256' })],
    ['alg A256KW', () => seal({ alg: 'A256KW' })],
    ['alg A256GCMKW', () => seal({ alg: 'A256GCMKW' })],
    ['alg PBES2-HS256+A128KW', () => seal({ alg: 'PBES2-HS256+A128KW' })],
    ['zip', () => seal({ zip: 'DEF' })],
    ['jku', () => seal({ jku: 'https://evil.example/keys' })],
    ['jwk', () => seal({ jwk: { kty: 'oct', k: Buffer.from(KEY).toString('base64url') } })],
    ['x5u', () => seal({ x5u: 'https://evil.example/cert' })],
    ['an unknown header member', () => seal({ b64: true })],
    ['the typ of a token', () => seal({ typ: TOKEN_TYPE })],
    ['base64 padding', async () => `${await seal({})}==`],
    ['a plaintext that is not UTF-8', () => seal({}, KEY, Uint8Array.of(0x7b, 0xff, 0x7d))],
  ])('refuses %s', async (_, make) => {
    expect(await faultOf(open(await make()))).toEqual(REFUSED)
  })

  test('refuses crit, even if the header has the member that crit names', async () => {
    const [, ...rest] = (await seal({})).split('.')
    for (const header of [
      { ...GOOD, crit: ['exp'], exp: 1 },
      { ...GOOD, crit: ['b64'] },
      { ...GOOD, crit: [] },
    ]) {
      expect(await faultOf(open([base64url(header), ...rest].join('.')))).toEqual(REFUSED)
    }
  })

  test.each(['protected header', 'encrypted key', 'iv', 'ciphertext', 'tag'])('refuses a changed %s', async (part) => {
    const parts = (await seal({})).split('.')
    const at = ['protected header', 'encrypted key', 'iv', 'ciphertext', 'tag'].indexOf(part)
    const now = parts[at] ?? ''
    const changed = [`${now.startsWith('A') ? 'B' : 'A'}${now.slice(1)}`, `${now}AAAA`, `${now}!`, now.slice(4)]
    for (const text of changed.filter((each) => each !== now)) {
      expect(await faultOf(open(parts.with(at, text).join('.'))), text).toEqual(REFUSED)
    }
  })

  test.each([
    ['an empty string', ''],
    ['a word', 'hello'],
    ['five empty parts', '....'],
    ['five invalid parts', 'a.b.c.d.e'],
    ['five parts that are not base64url', '!.!.!.!.!'],
    ['a header that is not JSON', `${Buffer.from('{').toString('base64url')}..AAAA.AAAA.AAAA`],
    ['a header that is null', `${base64url(null)}..AAAA.AAAA.AAAA`],
    ['a header that is an array', `${base64url([GOOD])}..AAAA.AAAA.AAAA`],
    ['a valid header before parts that were not sealed', `${base64url(GOOD)}..AAAA.AAAA.AAAA`],
    ['a truncated tag', `${base64url(GOOD)}..${'A'.repeat(16)}.AAAA.AA`],
    ['an unsecured JWT', `${base64url({ alg: 'none' })}.${base64url({})}.`],
    ['a JSON text', '{"Account":"a"}'],
  ])('refuses %s', async (_, jwe) => {
    expect(await faultOf(open(jwe))).toEqual(REFUSED)
  })

  test('refuses four parts and six parts', async () => {
    const jwe = await seal({})
    expect(await faultOf(open(jwe.slice(0, jwe.lastIndexOf('.'))))).toEqual(REFUSED)
    expect(await faultOf(open(`${jwe}.AAAA`))).toEqual(REFUSED)
  })

  test('refuses a request as a token, and a token as a request', async () => {
    const now = Date.UTC(2026, 0, 15)
    const token = await sealToken({ account: 'acme', userId: 'u1' }, 'k1', KEY, now)
    expect(await faultOf(open(token))).toEqual(REFUSED)
    const claims = { Account: 'acme', User_ID: 'u1', iat: now / 1000, exp: now / 1000 + 60 }
    const request = await sealEnvelope(claims, { kid: 'k1', jti: 'j1' }, KEY)
    expect(await faultOf(openToken(request, findKey, now))).toEqual(REFUSED)
  })
})
