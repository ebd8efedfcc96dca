import { createCipheriv, createDecipheriv } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { equalInConstantTime } from '../../../server/crypto.ts'
import { createCrypt } from '../../../server/wechat/crypt.ts'
import { signatureOf } from '../../../server/wechat/signature.ts'
import { vectors } from '../../support/vectors.ts'

const KEY = 'abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG'
const APP_ID = 'wxb11529c136998cb6'
const random = Buffer.from('aaaabbbbccccdddd')

describe('the published vectors', () => {
  test('are sixteen', () => {
    expect(vectors).toHaveLength(16)
  })

  test.each(vectors.filter(({ signature }) => signature))(
    '$id has the published signature',
    ({ token, timestamp, nonce, signature }) => {
      expect(signatureOf(token, timestamp, nonce)).toBe(signature)
    },
  )

  test.each(vectors.filter(({ msgSignature }) => msgSignature))('$id has the published msg_signature', (vector) => {
    const { token, timestamp, nonce, encrypted = '', msgSignature } = vector
    expect(signatureOf(token, timestamp, nonce, encrypted)).toBe(msgSignature)
  })

  test.each(vectors.filter(({ encrypted }) => encrypted))(
    '$id decrypts, and its message is unchanged after encryption and decryption',
    (vector) => {
      const crypt = createCrypt(vector.encodingAesKey, vector.appId)
      expect(crypt.decrypt(vector.encrypted ?? '')).toBe(vector.plaintext)
      expect(crypt.decrypt(crypt.encrypt(vector.plaintext ?? ''))).toBe(vector.plaintext)
    },
  )

  test.each(vectors.filter((vector) => vector.random && vector.encrypted))(
    '$id encrypts to the published bytes',
    (vector) => {
      const crypt = createCrypt(vector.encodingAesKey, vector.appId)
      expect(crypt.encrypt(vector.plaintext ?? '', Buffer.from(vector.random ?? ''))).toBe(vector.encrypted)
    },
  )
})

describe('createCrypt', () => {
  const crypt = createCrypt(KEY, APP_ID)

  test('pads to blocks of 32 bytes, with every padding length from 1 to 32, and removes the padding', () => {
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

  test('counts the length of a message in bytes, not in characters', () => {
    expect(crypt.decrypt(crypt.encrypt('绑定😀\n'))).toBe('绑定😀\n')
  })

  test('accepts a key whose last character has the two surplus bits set', () => {
    const strict = createCrypt(`${'A'.repeat(42)}A`, APP_ID)
    for (const last of ['B', 'C', 'D']) {
      expect(createCrypt(`${'A'.repeat(42)}${last}`, APP_ID).decrypt(strict.encrypt('same key'))).toBe('same key')
    }
  })

  test('encrypts the same message to a different text each time', () => {
    expect(crypt.encrypt('twice')).not.toBe(crypt.encrypt('twice'))
  })

  test('encrypts every message for a receiver that begins with the iv of the key, whatever messages came before', () => {
    const used = createCrypt(KEY, APP_ID)
    for (const message of ['first', 'x'.repeat(100), '']) {
      const key = Buffer.from(`${KEY}=`, 'base64')
      const decipher = createDecipheriv('aes-256-cbc', key, key.subarray(0, 16)).setAutoPadding(false)
      const plain = decipher.update(Buffer.from(used.encrypt(message), 'base64'))
      expect(plain.readUInt32BE(16)).toBe(message.length)
      expect(plain.toString('utf8', 20, 20 + message.length + APP_ID.length)).toBe(message + APP_ID)
    }
  })

  /** A message encrypted without createCrypt. Header, 22 bytes and appid are 60 bytes, so a padding of 4 or 36 fills the block. */
  function sealWithPadding(padding: number[], length = 22): string {
    const header = Buffer.concat([random, Buffer.from([0, 0, 0, length])])
    return sealPlain(Buffer.concat([header, Buffer.alloc(22, 'x'), Buffer.from(APP_ID), Buffer.from(padding)]))
  }

  function sealPlain(plain: Buffer): string {
    const key = Buffer.from(`${KEY}=`, 'base64')
    const cipher = createCipheriv('aes-256-cbc', key, key.subarray(0, 16)).setAutoPadding(false)
    return cipher.update(plain).toString('base64')
  }

  test('decrypts a message that was encrypted without createCrypt', () => {
    expect(crypt.decrypt(sealWithPadding([4, 4, 4, 4]))).toBe('x'.repeat(22))
  })

  const encrypted = crypt.encrypt('message', random)
  const bytes = Buffer.from(encrypted, 'base64')

  const refusals: [what: string, attempt: () => string, cause: string][] = [
    ['a text under another key', () => createCrypt(KEY.toUpperCase(), APP_ID).decrypt(encrypted), 'padding'],
    ['another appid', () => createCrypt(KEY, 'wx0000000000000000').decrypt(encrypted), 'appid'],
    [
      'an appid that is the start of the right one',
      () => createCrypt(KEY, APP_ID.slice(0, -1)).decrypt(encrypted),
      'appid',
    ],
    ['an empty text', () => crypt.decrypt(''), 'length'],
    ['a text that is not base64', () => crypt.decrypt('!!!!'), 'length'],
    ['a text without its last block', () => crypt.decrypt(bytes.subarray(0, -32).toString('base64')), 'padding'],
    ['half a block', () => crypt.decrypt(bytes.subarray(0, -16).toString('base64')), 'length'],
    ['a part of a block', () => crypt.decrypt(bytes.subarray(0, -5).toString('base64')), 'length'],
    ['a padding of which only the last byte is right', () => crypt.decrypt(sealWithPadding([0, 0, 0, 4])), 'padding'],
    ['a padding of length 0', () => crypt.decrypt(sealWithPadding([0, 0, 0, 0])), 'padding'],
    ['a padding longer than a block', () => crypt.decrypt(sealWithPadding(Array(36).fill(36))), 'padding'],
    ['a block of zeros in place of the last one', () => crypt.decrypt(withZerosAtTheEnd()), 'padding'],
    [
      'a padding that leaves no room for the header',
      () => crypt.decrypt(sealPlain(Buffer.alloc(32, 13))),
      'message length',
    ],
    ['a length that exceeds the plaintext', () => crypt.decrypt(sealWithPadding([4, 4, 4, 4], 41)), 'message length'],
    ['a length that leaves no appid', () => crypt.decrypt(sealWithPadding([4, 4, 4, 4], 40)), 'appid'],
    ['a length that cuts the appid', () => crypt.decrypt(sealWithPadding([4, 4, 4, 4], 23)), 'appid'],
  ]

  const withZerosAtTheEnd = () => Buffer.concat([bytes.subarray(0, -32), Buffer.alloc(32)]).toString('base64')

  test.each(refusals)('refuses %s with the one public error, and gives the cause to the log', (_, attempt, cause) => {
    expect(attempt).toThrow(
      expect.objectContaining({
        code: 'CALLBACK_REFUSED',
        message: 'The callback cannot be decrypted with the configured WECHAT_ENCODING_AES_KEY and WECHAT_APP_ID.',
        cause,
      }),
    )
  })

  test.each(refusals)('decrypts the next message after %s', (_, attempt) => {
    expect(attempt).toThrow()
    expect(crypt.decrypt(encrypted)).toBe('message')
  })

  test.each([
    ['short', 3],
    [`${KEY}AAAA`, 35],
  ])('throws at start for the key %s, which decodes to %i bytes', (key, length) => {
    expect(() => createCrypt(key, APP_ID)).toThrow(
      new TypeError(`EncodingAESKey must decode to 32 bytes, got ${length}: copy its 43 characters`),
    )
  })
})

describe('equalInConstantTime', () => {
  test.each([
    ['abc', 'abc', true],
    ['abc', 'abd', false],
    ['abc', 'abcd', false],
    ['', '', true],
    ['é', 'e', false],
  ])('compares %s with %s: %s', (a, b, expected) => {
    expect(equalInConstantTime(a, b)).toBe(expected)
  })
})
