import { CompactEncrypt, type CompactJWEHeaderParameters } from 'jose'
import { describe, expect, test } from 'vitest'
import { openEnvelope, sealEnvelope, TOKEN_TYPE } from '../../../server/keys/envelope.ts'
import { openToken, sealToken } from '../../../server/keys/widget-token.ts'

const KEY = new Uint8Array(32).fill(7)
const OTHER_KEY = new Uint8Array(32).fill(8)
const findKey = (kid: string) => (kid === 'k1' ? { secret: KEY, tenant: 'shop' } : undefined)
const open = (jwe: string, typ?: string) => openEnvelope(jwe, typ, findKey)

/** One fault, one message and no cause, whatever was wrong. */
const REFUSED = [
  'UNAUTHORIZED',
  'The envelope was not accepted: seal it as a compact JWE, dir + A256GCM, with a kid and key of this server.',
  undefined,
]
const faultOf = (opening: Promise<unknown>) =>
  opening.then(
    () => 'accepted',
    ({ code, message, cause }) => [code, message, cause],
  )

const GOOD: CompactJWEHeaderParameters = { alg: 'dir', enc: 'A256GCM', kid: 'k1', jti: 'j1' }

/** Sealed by jose itself: what a client in any language sends. */
const seal = (header: object, key: Uint8Array = KEY, plaintext: Uint8Array = Buffer.from('{"a":1}')) =>
  new CompactEncrypt(plaintext).setProtectedHeader({ ...GOOD, ...header }).encrypt(key)

const base64url = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')

describe('sealEnvelope', () => {
  test('makes a compact JWE, dir and A256GCM, without an encrypted key', async () => {
    const parts = (await sealEnvelope({ a: 1 }, { kid: 'k1', jti: 'j1' }, KEY)).split('.')
    expect(JSON.parse(Buffer.from(parts[0] ?? '', 'base64url').toString())).toEqual(GOOD)
    expect(parts.map((part) => Buffer.from(part, 'base64url').length).slice(1)).toEqual([0, 12, 7, 16])
  })

  test('never seals the same twice alike', async () => {
    const sealed = await Promise.all([1, 2].map(() => sealEnvelope({}, { kid: 'k1' }, KEY)))
    expect(sealed[0]).not.toBe(sealed[1])
  })
})

describe('openEnvelope', () => {
  test('opens what was sealed, with the header’s words and what belongs to the key', async () => {
    const jwe = await sealEnvelope({ Label: '账号😀' }, { kid: 'k1', jti: 'j2', req: 'j1' }, KEY)
    expect(await open(jwe)).toEqual({
      text: '{"Label":"账号😀"}',
      header: { kid: 'k1', jti: 'j2', req: 'j1' },
      key: { secret: KEY, tenant: 'shop' },
    })
  })

  test('opens what any JOSE library makes, with typ and cty where it likes', async () => {
    expect((await open(await seal({ typ: 'JOSE', cty: 'application/json' }))).text).toBe('{"a":1}')
  })

  test('takes a jti that is no text for none', async () => {
    expect((await open(await seal({ jti: 7 }))).header).toEqual({ kid: 'k1' })
  })

  test.each<[string, () => Promise<string>]>([
    ['an unknown kid', () => seal({ kid: 'k2' })],
    ['a kid that is no text', () => seal({ kid: 1 as never })],
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
    ['a member of tomorrow', () => seal({ b64: true })],
    ['a token', () => seal({ typ: TOKEN_TYPE })],
    ['padding behind a part', async () => `${await seal({})}==`],
    ['a plaintext that is no UTF-8', () => seal({}, KEY, Uint8Array.of(0x7b, 0xff, 0x7d))],
  ])('refuses %s', async (_, make) => {
    expect(await faultOf(open(await make()))).toEqual(REFUSED)
  })

  test('refuses crit, with and without the member that it names', async () => {
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
    ['nothing', ''],
    ['a word', 'hello'],
    ['five empty parts', '....'],
    ['five parts of junk', 'a.b.c.d.e'],
    ['five parts that are no base64', '!.!.!.!.!'],
    ['a header that is no JSON', `${Buffer.from('{').toString('base64url')}..AAAA.AAAA.AAAA`],
    ['a header that is no object', `${base64url(null)}..AAAA.AAAA.AAAA`],
    ['a header that is a list', `${base64url([GOOD])}..AAAA.AAAA.AAAA`],
    ['a good header and junk', `${base64url(GOOD)}..AAAA.AAAA.AAAA`],
    ['a tag cut short', `${base64url(GOOD)}..${'A'.repeat(16)}.AAAA.AA`],
    ['an unsecured token', `${base64url({ alg: 'none' })}.${base64url({})}.`],
    ['a JSON', '{"Account":"a"}'],
  ])('refuses %s', async (_, jwe) => {
    expect(await faultOf(open(jwe))).toEqual(REFUSED)
  })

  test('refuses four parts and six', async () => {
    const jwe = await seal({})
    expect(await faultOf(open(jwe.slice(0, jwe.lastIndexOf('.'))))).toEqual(REFUSED)
    expect(await faultOf(open(`${jwe}.AAAA`))).toEqual(REFUSED)
  })

  test('takes no request for a token, and no token for a request', async () => {
    const now = Date.UTC(2026, 0, 15)
    const token = await sealToken({ account: 'acme', userId: 'u1' }, 'k1', KEY, now)
    expect(await faultOf(open(token))).toEqual(REFUSED)
    const claims = { Account: 'acme', User_ID: 'u1', iat: now / 1000, exp: now / 1000 + 60 }
    const request = await sealEnvelope(claims, { kid: 'k1', jti: 'j1' }, KEY)
    expect(await faultOf(openToken(request, findKey, now))).toEqual(REFUSED)
  })
})
