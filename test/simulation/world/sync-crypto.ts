/**
 * Replaces the AES-GCM of WebCrypto with that of Node, which runs synchronously. WebCrypto uses a thread pool. This
 * would take most of the time of a simulation, and the order of its results would differ between two runs with the same
 * seed.
 */
import { createCipheriv, createDecipheriv, createSecretKey, type KeyObject } from 'node:crypto'

type Params = { name: string; iv: BufferSource; additionalData?: BufferSource }

// The imported keys. The server imports each key only once per process, so this map must exist longer than a
// simulation.
const secrets = new WeakMap<CryptoKey, KeyObject>()

const TAG_BYTES = 16
const bytesOf = (source: BufferSource) =>
  source instanceof ArrayBuffer ? Buffer.from(source) : Buffer.from(source.buffer, source.byteOffset, source.byteLength)

/** Returns a function that restores WebCrypto. */
export function useSyncCrypto(): () => void {
  const { subtle } = globalThis.crypto
  const { importKey } = subtle

  Object.assign(subtle, {
    async importKey(...args: Parameters<SubtleCrypto['importKey']>) {
      const key = (await importKey.apply(subtle, args)) as CryptoKey
      if (args[0] === 'raw') secrets.set(key, createSecretKey(bytesOf(args[1] as BufferSource)))
      return key
    },
    async encrypt({ iv, additionalData }: Params, key: CryptoKey, text: BufferSource) {
      const cipher = createCipheriv('aes-256-gcm', secrets.get(key)!, bytesOf(iv))
      if (additionalData) cipher.setAAD(bytesOf(additionalData))
      return toArrayBuffer(Buffer.concat([cipher.update(bytesOf(text)), cipher.final(), cipher.getAuthTag()]))
    },
    async decrypt({ iv, additionalData }: Params, key: CryptoKey, sealed: BufferSource) {
      const bytes = bytesOf(sealed)
      const decipher = createDecipheriv('aes-256-gcm', secrets.get(key)!, bytesOf(iv))
      if (additionalData) decipher.setAAD(bytesOf(additionalData))
      decipher.setAuthTag(bytes.subarray(-TAG_BYTES))
      return toArrayBuffer(Buffer.concat([decipher.update(bytes.subarray(0, -TAG_BYTES)), decipher.final()]))
    },
  })
  return () => {
    for (const name of ['importKey', 'encrypt', 'decrypt']) Reflect.deleteProperty(subtle, name)
  }
}

const toArrayBuffer = (bytes: Buffer) => new Uint8Array(bytes).buffer
