/** Hashes with the AppSecret as key, so the hash is the same on every instance and cannot be computed without the AppSecret. */
import { createHmac, hash } from 'node:crypto'
import type { KeyedHash } from '../store/sql/tx-settings.ts'

export function createKeyedHash(appSecret: string): KeyedHash {
  // A key as prefix is safe with SHA-3, but not with SHA-2 (FIPS 202, A.2). The hash takes 1 us; an HMAC would take 3 us.
  const key = createHmac('sha256', appSecret).update('wechat-bind keyed hash').digest('base64url')
  return (...parts) => hash('sha3-256', key + JSON.stringify(parts), 'base64url')
}
