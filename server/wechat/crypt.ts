/**
 * WeChat's message encryption: AES-256-CBC, iv = the key's first 16 bytes, and
 * `random(16) | length(4, big endian) | message | appid`, padded to blocks of 32, not of 16.
 * https://developers.weixin.qq.com/doc/oplatform/developers/dev/push/encryption.html
 */
import { createCipheriv, createDecipheriv, createSecretKey, type KeyObject } from 'node:crypto'
import { BindError } from '../errors.ts'
import { takeRandom } from './random.ts'
import { equalInConstantTime } from './signature.ts'

const BLOCK = 32
const RANDOM = 16
const HEADER = RANDOM + 4

export type Crypt = {
  /** Base64 of the encrypted message. `random`: 16 bytes, given only where the result must be repeatable. */
  encrypt(message: string, random?: Buffer): string
  /** The message. Every fault (base64, length, padding, appid) throws the same `CALLBACK_REFUSED`. */
  decrypt(base64: string): string
}

/** `encodingAesKey`: 43 characters; its surplus bits may be anything, as WeChat's own keys have them. */
export function createCrypt(encodingAesKey: string, appId: string): Crypt {
  const bytes = Buffer.from(`${encodingAesKey}=`, 'base64')
  if (bytes.length !== 32) throw new TypeError('an EncodingAESKey must decode to 32 bytes')
  // A KeyObject spares the key set-up that a Buffer costs at each call: 6 us a message instead of 24.
  const key = createSecretKey(bytes)
  const iv = bytes.subarray(0, 16)
  const id = Buffer.from(appId)
  return {
    encrypt: (message, random = takeRandom(RANDOM)) => encrypt(key, iv, id, message, random),
    decrypt: (base64) => decrypt(key, iv, appId, base64),
  }
}

function encrypt(key: KeyObject, iv: Buffer, appId: Buffer, message: string, random: Buffer): string {
  const body = Buffer.from(message)
  const length = HEADER + body.length + appId.length
  const pad = BLOCK - (length % BLOCK)
  const plain = Buffer.alloc(length + pad, pad)
  random.copy(plain, 0, 0, RANDOM)
  plain.writeUInt32BE(body.length, RANDOM)
  body.copy(plain, HEADER)
  appId.copy(plain, HEADER + body.length)
  const cipher = createCipheriv('aes-256-cbc', key, iv).setAutoPadding(false)
  // Whole blocks and no padding of OpenSSL's: `update` gives all, `final` would give nothing.
  return cipher.update(plain).toString('base64')
}

function decrypt(key: KeyObject, iv: Buffer, appId: string, base64: string): string {
  const cipherText = Buffer.from(base64, 'base64')
  if (cipherText.length === 0 || cipherText.length % BLOCK !== 0) throw refused('length')
  const plain = createDecipheriv('aes-256-cbc', key, iv).setAutoPadding(false).update(cipherText)
  const pad = plain[plain.length - 1]!
  const end = plain.length - pad
  if (pad < 1 || pad > BLOCK || end < HEADER || plain.subarray(end).some((byte) => byte !== pad))
    throw refused('padding')
  const messageEnd = HEADER + plain.readUInt32BE(RANDOM)
  if (messageEnd > end) throw refused('message length')
  if (!equalInConstantTime(plain.toString('utf8', messageEnd, end), appId)) throw refused('appid')
  return plain.toString('utf8', HEADER, messageEnd)
}

/** One code and message for every cause, so that the answer teaches an attacker nothing; the cause is for our log. */
function refused(cause: string): BindError {
  return new BindError(
    'CALLBACK_REFUSED',
    'The callback does not decrypt with the configured EncodingAESKey and appid.',
    {
      cause,
    },
  )
}
