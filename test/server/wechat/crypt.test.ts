import { createCipheriv } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { equalInConstantTime } from '../../../server/crypto.ts'
import { createCrypt } from '../../../server/wechat/crypt.ts'
import { signatureOf } from '../../../server/wechat/signature.ts'
import { vectors } from '../../support/vectors.ts'

const KEY = 'abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG'
const APP_ID = 'wxb11529c136998cb6'
const random = Buffer.from('aaaabbbbccccdddd')
const refused = expect.objectContaining({ code: 'CALLBACK_REFUSED' })

describe('the published vectors', () => {
  test('are sixteen', () => {
    expect(vectors).toHaveLength(16)
  })

  test.each(vectors.filter(({ signature }) => signature))(
    '$id has its signature',
    ({ token, timestamp, nonce, signature }) => {
      expect(signatureOf(token, timestamp, nonce)).toBe(signature)
    },
  )

  test.each(vectors.filter(({ msgSignature }) => msgSignature))('$id has its msg_signature', (vector) => {
    const { token, timestamp, nonce, encrypted = '', msgSignature } = vector
    expect(signatureOf(token, timestamp, nonce, encrypted)).toBe(msgSignature)
  })

  test.each(vectors.filter(({ encrypted }) => encrypted))(
    '$id decrypts, and its message comes back when sealed again',
    (vector) => {
      const crypt = createCrypt(vector.encodingAesKey, vector.appId)
      expect(crypt.decrypt(vector.encrypted ?? '')).toBe(vector.plaintext)
      expect(crypt.decrypt(crypt.encrypt(vector.plaintext ?? ''))).toBe(vector.plaintext)
    },
  )

  test.each(vectors.filter((vector) => vector.random && vector.encrypted))('$id encrypts byte for byte', (vector) => {
    const crypt = createCrypt(vector.encodingAesKey, vector.appId)
    expect(crypt.encrypt(vector.plaintext ?? '', Buffer.from(vector.random ?? ''))).toBe(vector.encrypted)
  })
})

describe('createCrypt', () => {
  const crypt = createCrypt(KEY, APP_ID)

  test('pads to blocks of 32, each length from 1 to 32, both ways', () => {
    const lengths = new Set<number>()
    for (let size = 0; size < 32; size++) {
      const message = 'x'.repeat(size)
      const encrypted = crypt.encrypt(message, random)
      expect(Buffer.from(encrypted, 'base64').length % 32).toBe(0)
      expect(crypt.decrypt(encrypted)).toBe(message)
      lengths.add(32 - ((20 + size + APP_ID.length) % 32))
    }
    expect(lengths.size).toBe(32)
  })

  test('counts bytes and not characters', () => {
    expect(crypt.decrypt(crypt.encrypt('绑定😀\n'))).toBe('绑定😀\n')
  })

  test('takes a key whose last character has surplus bits', () => {
    const strict = createCrypt(`${'A'.repeat(42)}A`, APP_ID)
    for (const last of ['B', 'C', 'D']) {
      expect(createCrypt(`${'A'.repeat(42)}${last}`, APP_ID).decrypt(strict.encrypt('same key'))).toBe('same key')
    }
  })

  test('never gives the same text twice', () => {
    expect(crypt.encrypt('twice')).not.toBe(crypt.encrypt('twice'))
  })

  /** By hand: 20 bytes of header, 22 of message and 18 of appid, so that 4 or 36 fill the block. */
  function sealWithPadding(padding: number[], length = 22): string {
    const header = Buffer.concat([random, Buffer.from([0, 0, 0, length])])
    const key = Buffer.from(`${KEY}=`, 'base64')
    const cipher = createCipheriv('aes-256-cbc', key, key.subarray(0, 16)).setAutoPadding(false)
    return cipher
      .update(Buffer.concat([header, Buffer.alloc(22, 'x'), Buffer.from(APP_ID), Buffer.from(padding)]))
      .toString('base64')
  }

  test('opens what is sealed by hand with a right padding', () => {
    expect(crypt.decrypt(sealWithPadding([4, 4, 4, 4]))).toBe('x'.repeat(22))
  })

  const encrypted = crypt.encrypt('message', random)
  const otherKey = createCrypt(KEY.toUpperCase(), APP_ID)
  const bytes = Buffer.from(encrypted, 'base64')

  test.each<[string, () => string]>([
    ['another key', () => otherKey.decrypt(encrypted)],
    ['another appid', () => createCrypt(KEY, 'wx0000000000000000').decrypt(encrypted)],
    ['an appid that only begins alike', () => createCrypt(KEY, APP_ID.slice(0, -1)).decrypt(encrypted)],
    ['nothing', () => crypt.decrypt('')],
    ['no base64', () => crypt.decrypt('!!!!')],
    ['a block cut off', () => crypt.decrypt(bytes.subarray(0, -32).toString('base64'))],
    ['half a block', () => crypt.decrypt(bytes.subarray(0, -16).toString('base64'))],
    ['a padding that only ends right', () => crypt.decrypt(sealWithPadding([0, 0, 0, 4]))],
    ['a padding of nothing', () => crypt.decrypt(sealWithPadding([0, 0, 0, 0]))],
    ['a padding longer than a block', () => crypt.decrypt(sealWithPadding(Array(36).fill(36)))],
    ['a length beyond the message', () => crypt.decrypt(sealWithPadding([4, 4, 4, 4], 99))],
    [
      'a changed padding',
      () => crypt.decrypt(Buffer.concat([bytes.subarray(0, -32), Buffer.alloc(32)]).toString('base64')),
    ],
  ])('refuses %s with one and the same error', (_, attempt) => {
    expect(attempt).toThrow(refused)
    expect(attempt).toThrow(
      'The callback cannot be decrypted with the configured WECHAT_ENCODING_AES_KEY and WECHAT_APP_ID.',
    )
  })

  test('throws at start for a key that is no key', () => {
    expect(() => createCrypt('short', APP_ID)).toThrow(TypeError)
  })
})

describe('equalInConstantTime', () => {
  test.each([
    ['abc', 'abc', true],
    ['abc', 'abd', false],
    ['abc', 'abcd', false],
    ['', '', true],
    ['é', 'e', false],
  ])('%s and %s: %s', (a, b, expected) => {
    expect(equalInConstantTime(a, b)).toBe(expected)
  })
})
