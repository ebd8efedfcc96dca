/**
 * Decrypts widget tokens and caches the result. A waiting page sends the same token with every poll. The cache lowers the CPU of
 * a poll from 125 to 70 us. A cache key is the digest of a token. An entry is valid until the token expires or its key changes.
 */
import { hash } from 'node:crypto'
import type { Scope } from '../api/request-schemas.ts'
import type { Identity } from '../store/store.ts'
import type { BindKey, Keyring } from './keyring.ts'
import { openToken } from './widget-token.ts'

export type Principal = {
  identity: Identity
  /**
   * The value of the header `Bind-User`. It is opaque and the same on every instance. Tabs of a browser with the same value share
   * a poll.
   */
  name: string
  label: string | null
  scope: Scope[]
}

type TokenCacheDeps = {
  keyring: Keyring
  nameOf: (identity: Identity) => string
  /** Epoch ms. */
  clock: () => number
  /** How many tokens are cached. Each takes about 600 bytes. */
  maxTokens: number
}

/** Throws `UNAUTHORIZED` or `TOKEN_EXPIRED`. */
export type PrincipalOf = (jwe: string) => Promise<Principal>

type Known = { principal: Principal; key: BindKey; exp: number }

export function createTokenCache({ keyring, nameOf, clock, maxTokens }: TokenCacheDeps): PrincipalOf {
  const remembered = new Map<string, Known>()

  async function open(jwe: string, digest: string): Promise<Principal> {
    const { key, Account, User_ID, Label = null, scope, exp } = await openToken<BindKey>(jwe, keyring.find, clock())
    const identity = { tenant: key.tenant, account: Account, userId: User_ID }
    const principal = { identity, name: nameOf(identity), label: Label, scope }
    remembered.set(digest, { principal, key, exp })
    forgetOldest()
    return principal
  }

  const isValid = ({ exp, key }: Known) => clock() < exp * 1000 && keyring.find(key.kid) === key

  /**
   * Deletes up to two of the oldest tokens: those beyond the limit, and those that are no longer valid. Without the second rule the
   * cache would grow to its limit, and keep the secrets of removed keys in memory. A deleted token that is sent again is decrypted again.
   */
  function forgetOldest(): void {
    let left = 2
    // A Map iterates in insertion order.
    for (const [digest, known] of remembered) {
      if (left-- === 0 || (isValid(known) && remembered.size <= maxTokens)) return
      remembered.delete(digest)
    }
  }

  return async (jwe) => {
    const digest = hash('sha256', jwe, 'base64url')
    const known = remembered.get(digest)
    if (known && isValid(known)) return known.principal
    remembered.delete(digest)
    return open(jwe, digest)
  }
}
