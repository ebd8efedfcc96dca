/**
 * WeChat's message encryption: AES-256-CBC over `random(16) | length(4, big endian) | message | appid`, padded with PKCS#7 to
 * blocks of 32 bytes, not 16. The iv is the first 16 bytes of the key.
 * https://developers.weixin.qq.com/doc/oplatform/developers/dev/push/encryption.html
 *
 * One cipher object and one decipher object serve all messages, because creating one costs 6 us and leaves a native object to the
 * garbage collector. So the chain of CBC continues from the last block of the previous message instead of the iv. This changes only
 * the first block that the receiver decrypts: its 16 bytes are the random bytes XOR that last block XOR the iv. They are still
 * random, and nobody reads them. All other blocks depend only on blocks of their own message. This file adds and checks the padding
 * itself, so `final` is never called and the decipher does not keep back a last block.
 */
import { createCipheriv, createDecipheriv, createSecretKey } from 'node:crypto'
import { equalInConstantTime, takeRandom } from '../crypto.ts'
import { BindError } from '../errors.ts'

const BLOCK = 32
const CIPHER_BLOCK = 16
const RANDOM = 16
const HEADER = RANDOM + 4

export type Crypt = {
  /** Base64 of the encrypted message. `random` is for tests: with these 16 bytes the first message of a `Crypt` is repeatable. */
  encrypt(message: string, random?: Buffer): string
  /** The decrypted message. Every error (base64, length, padding, appid) throws the same `CALLBACK_REFUSED`. */
  decrypt(base64: string): string
}

/** `encodingAesKey` has 43 characters, which are 258 bits. The last two bits are ignored, because WeChat's console may set them. */
export function createCrypt(encodingAesKey: string, appId: string): Crypt {
  const bytes = Buffer.from(`${encodingAesKey}=`, 'base64')
  if (bytes.length !== 32)
    throw new TypeError(`EncodingAESKey must decode to 32 bytes, got ${bytes.length}: copy its 43 characters`)
  const key = createSecretKey(bytes)
  const iv = bytes.subarray(0, CIPHER_BLOCK)
  const cipher = createCipheriv('aes-256-cbc', key, iv)
  const decipher = createDecipheriv('aes-256-cbc', key, iv).setAutoPadding(false)
  const id = Buffer.from(appId)
  return {
    encrypt: (message, random = takeRandom(RANDOM)) => cipher.update(pack(message, id, random)).toString('base64'),
    decrypt(base64) {
      const sealed = Buffer.from(base64, 'base64')
      // An incomplete block would stay in the decipher and shift the next message.
      if (sealed.length === 0 || sealed.length % BLOCK !== 0) throw refused('length')
      return unpack(decipher.update(sealed), appId)
    },
  }
}

/** Returns the padded plaintext. */
function pack(message: string, appId: Buffer, random: Buffer): Buffer {
  const messageLength = Buffer.byteLength(message)
  const length = HEADER + messageLength + appId.length
  const pad = BLOCK - (length % BLOCK)
  const plain = Buffer.alloc(length + pad, pad)
  random.copy(plain, 0, 0, RANDOM)
  plain.writeUInt32BE(messageLength, RANDOM)
  plain.write(message, HEADER)
  appId.copy(plain, HEADER + messageLength)
  return plain
}

function unpack(plain: Buffer, appId: string): string {
  const pad = plain[plain.length - 1]!
  const end = plain.length - pad
  if (pad < 1 || pad > BLOCK || plain.subarray(end).some((byte) => byte !== pad)) throw refused('padding')
  const messageEnd = HEADER + plain.readUInt32BE(RANDOM)
  // This also refuses a message whose padding leaves no room for the header.
  if (messageEnd > end) throw refused('message length')
  if (!equalInConstantTime(plain.toString('utf8', messageEnd, end), appId)) throw refused('appid')
  return plain.toString('utf8', HEADER, messageEnd)
}

/** The code and the message are the same for every cause, so that the answer reveals nothing to an attacker. The cause is logged. */
function refused(cause: string): BindError {
  return new BindError(
    'CALLBACK_REFUSED',
    'The callback cannot be decrypted with the configured WECHAT_ENCODING_AES_KEY and WECHAT_APP_ID.',
    { cause },
  )
}
