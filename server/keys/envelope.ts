/**
 * The envelope of the encrypted API: one JWE (RFC 7516) in compact form, `dir` + `A256GCM`, the key being the client's 32-byte
 * secret. Portable: the client in the product's back end seals and opens with this file too.
 */
import { CompactEncrypt, type CompactJWEHeaderParameters, compactDecrypt } from 'jose'
import { BindError } from '../errors.ts'

/** The type of a widget token, so that a token is never taken for a request nor a request for a token. */
export const TOKEN_TYPE = 'wechat-bind-token+jwe'

export type Header = {
  kid?: string
  /** Unique per request; spent once. */
  jti?: string
  /** In a reply: the request's `jti`, so that a reply cannot be swapped. */
  req?: string
  typ?: string
}

// Anything else a JWE header may hold would change how it is read (`zip`, `crit`) or where a key comes from (`jku`, `jwk`, ...).
const KNOWN = new Set(['alg', 'enc', 'kid', 'jti', 'req', 'typ', 'cty'])

// Five parts of base64url without padding, the second empty: with `dir` no key travels. `jose` itself is more lenient.
const COMPACT = /^[\w-]+\.\.[\w-]+\.[\w-]*\.[\w-]+$/

const decoder = new TextDecoder('utf-8', { fatal: true })
const encoder = new TextEncoder()

const imported = new WeakMap<Uint8Array, Promise<CryptoKey>>()

/** Given bytes, `jose` imports them at every call: a tenth of what a GetBindInfo takes. */
function importOnce(secret: Uint8Array): Promise<CryptoKey> {
  const known = imported.get(secret)
  if (known) return known
  const bytes = new Uint8Array(secret)
  const key = crypto.subtle.importKey('raw', bytes, 'AES-GCM', false, ['encrypt', 'decrypt'])
  imported.set(secret, key)
  return key
}

export async function sealEnvelope(plaintext: unknown, header: Header, secret: Uint8Array): Promise<string> {
  return new CompactEncrypt(encoder.encode(JSON.stringify(plaintext)))
    .setProtectedHeader({ alg: 'dir', enc: 'A256GCM', ...header })
    .encrypt(await importOnce(secret))
}

/** Finds the key by the `kid`; returns what belongs to it along with the key. */
export type FindKey<K> = (kid: string) => (K & { secret: Uint8Array }) | undefined

export type Opened<K> = { text: string; header: Header; key: K }

/** Decrypts. Every fault (shape, `alg`, `kid`, tag, encoding) throws the same `UNAUTHORIZED`. */
export async function openEnvelope<K>(jwe: string, typ: string | undefined, findKey: FindKey<K>): Promise<Opened<K>> {
  let found: (K & { secret: Uint8Array }) | undefined
  const find = (header: CompactJWEHeaderParameters) => {
    if (header.typ !== typ && (typ !== undefined || header.typ === TOKEN_TYPE)) throw unauthorized()
    if (Object.keys(header).some((name) => !KNOWN.has(name))) throw unauthorized()
    found = typeof header.kid === 'string' ? findKey(header.kid) : undefined
    if (!found) throw unauthorized()
    return importOnce(found.secret)
  }
  if (!COMPACT.test(jwe)) throw unauthorized()
  try {
    const only = { keyManagementAlgorithms: ['dir'], contentEncryptionAlgorithms: ['A256GCM'] }
    const { plaintext, protectedHeader } = await compactDecrypt(jwe, find, only)
    return { text: decoder.decode(plaintext), header: toHeader(protectedHeader), key: found as K }
  } catch {
    throw unauthorized()
  }
}

const text = (value: unknown) => (typeof value === 'string' ? value : undefined)

function toHeader({ kid, jti, req, typ }: CompactJWEHeaderParameters & { jti?: unknown; req?: unknown }): Header {
  const header = { kid: text(kid), jti: text(jti), req: text(req), typ: text(typ) }
  return Object.fromEntries(Object.entries(header).filter(([, value]) => value !== undefined))
}

const unauthorized = () =>
  new BindError(
    'UNAUTHORIZED',
    'The envelope was not accepted: seal it as a compact JWE, dir + A256GCM, with a kid and key of this server.',
  )
