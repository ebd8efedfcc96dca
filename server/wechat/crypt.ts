/**
 * WeChat's message encryption: AES-256-CBC, iv = the key's first 16 bytes, and
 * `random(16) | length(4, big endian) | message | appid`, padded to blocks of 32, not of 16.
 * https://developers.weixin.qq.com/doc/oplatform/developers/dev/push/encryption.html
 */
import { createCipheriv, createDecipheriv, createSecretKey, type KeyObject } from 'node:crypto'
import { equalInConstantTime, takeRandom } from '../crypto.ts'
import { BindError } from '../errors.ts'

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
  const { encipher, decipher } = createChains(createSecretKey(bytes), bytes.subarray(0, CIPHER_BLOCK))
  const id = Buffer.from(appId)
  return {
    encrypt: (message, random = takeRandom(RANDOM)) => encipher(pack(message, id, random)).toString('base64'),
    decrypt: (base64) => unpack(decipher(base64), appId),
  }
}

const CIPHER_BLOCK = 16

/**
 * One cipher for all messages: to make one for each costs 6 us in a callback of 40, for a native object that the collector has
 * to look after. In CBC a block depends on the ciphertext before it and on nothing else, so a chain begins anew
 * when that is the iv again. Whole blocks and no padding of OpenSSL's: `update` gives all.
 */
function createChains(key: KeyObject, iv: Buffer) {
  const cipher = createCipheriv('aes-256-cbc', key, iv).setAutoPadding(false)
  const decipher = createDecipheriv('aes-256-cbc', key, iv).setAutoPadding(false)
  // Encrypted without a chain this is the iv; before the chain is taken into account, that is.
  const beforeIv = createDecipheriv('aes-256-ecb', key, null).setAutoPadding(false).update(iv)
  let last = iv

  return {
    /** `plain`: a block that is left free, then the message in whole blocks. */
    encipher(plain: Buffer): Buffer {
      for (let i = 0; i < CIPHER_BLOCK; i++) plain[i] = beforeIv[i]! ^ last[i]!
      const sealed = cipher.update(plain)
      last = sealed.subarray(-CIPHER_BLOCK)
      return sealed.subarray(CIPHER_BLOCK)
    },
    decipher(base64: string): Buffer {
      const sealed = Buffer.allocUnsafe(CIPHER_BLOCK + Buffer.byteLength(base64, 'base64'))
      const length = sealed.write(base64, CIPHER_BLOCK, 'base64')
      if (length === 0 || length % BLOCK !== 0) throw refused('length')
      iv.copy(sealed)
      return decipher.update(sealed.subarray(0, CIPHER_BLOCK + length)).subarray(CIPHER_BLOCK)
    },
  }
}

/** The message as it is encrypted, behind a block that is left free. */
function pack(message: string, appId: Buffer, random: Buffer): Buffer {
  const messageLength = Buffer.byteLength(message)
  const length = HEADER + messageLength + appId.length
  const pad = BLOCK - (length % BLOCK)
  const packed = Buffer.alloc(CIPHER_BLOCK + length + pad, pad)
  const plain = packed.subarray(CIPHER_BLOCK)
  random.copy(plain, 0, 0, RANDOM)
  plain.writeUInt32BE(messageLength, RANDOM)
  plain.write(message, HEADER)
  appId.copy(plain, HEADER + messageLength)
  return packed
}

function unpack(plain: Buffer, appId: string): string {
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
