/** Who asks, by the widget token that the page sends with each request. */
import { hash } from 'node:crypto'
import type { Scope } from '../api/request-schemas.ts'
import type { Identity } from '../store/store.ts'
import type { BindKey, Keyring } from './keyring.ts'
import { openToken } from './widget-token.ts'

export type Principal = {
  identity: Identity
  /** Opaque, the same at every instance: by it a browser's tabs know that they wait for one user. */
  name: string
  label: string | null
  scope: Scope[]
}

export type TokenCacheDeps = {
  keyring: Keyring
  nameOf: (identity: Identity) => string
  /** Epoch ms. */
  clock: () => number
  /** How many tokens are remembered, at some 600 bytes each. */
  most: number
}

/** Throws `UNAUTHORIZED` or `TOKEN_EXPIRED`. */
export type PrincipalOf = (jwe: string) => Promise<Principal>

type Known = { principal: Principal; key: BindKey; exp: number }

/**
 * Opens a token once: a page that waits sends the same one with every poll, which so takes 70 us of the processor instead of
 * 125. A token is remembered by its digest, until it runs out or its key is taken away.
 */
export function createTokenCache({ keyring, nameOf, clock, most }: TokenCacheDeps): PrincipalOf {
  const remembered = new Map<string, Known>()

  async function open(jwe: string, digest: string): Promise<Principal> {
    const { key, Account, User_ID, Label = null, scope, exp } = await openToken<BindKey>(jwe, keyring.find, clock())
    const identity = { tenant: key.tenant, account: Account, userId: User_ID }
    const principal = { identity, name: nameOf(identity), label: Label, scope }
    remembered.set(digest, { principal, key, exp })
    // A map gives its oldest first. One that is pushed out is opened again.
    const [oldest] = remembered.keys()
    if (remembered.size > most) remembered.delete(oldest!)
    return principal
  }

  return async (jwe) => {
    const digest = hash('sha256', jwe, 'base64url')
    const known = remembered.get(digest)
    if (known && clock() < known.exp * 1000 && keyring.find(known.key.kid) === known.key) return known.principal
    remembered.delete(digest)
    return open(jwe, digest)
  }
}
