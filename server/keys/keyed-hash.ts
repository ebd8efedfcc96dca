/** A hash keyed by the AppSecret: the same on every instance and after a restart, and of no use without the AppSecret. */
import { createHmac, hash } from 'node:crypto'
import type { KeyedHash } from '../store/sql/changes.ts'

export function createKeyedHash(appSecret: string): KeyedHash {
  // A prefix may key SHA-3, unlike SHA-2 (FIPS 202, A.2): one call of 1 us, where an HMAC takes 3.
  const key = createHmac('sha256', appSecret).update('wechat-bind keyed hash').digest('base64url')
  return (...parts) => hash('sha3-256', key + JSON.stringify(parts), 'base64url')
}
