/**
 * Encrypts and decrypts requests, replies and widget tokens. In this code an envelope is one JWE (RFC 7516) in compact form,
 * with `dir` and `A256GCM` and with the client's 32-byte secret as the key. The server and `client.ts` use this file, and it
 * runs on any runtime.
 */
import { CompactEncrypt, type CompactJWEHeaderParameters, compactDecrypt } from 'jose'
import { BindError } from '../errors.ts'

/** The `typ` of a widget token. By this value the server refuses a token as a request, and a request as a token. */
export const TOKEN_TYPE = 'wechat-bind-token+jwe'

export type Header = {
  kid?: string
  /** Unique for each request. The server accepts it once. */
  jti?: string
  /** The request's `jti`, in a reply. It shows that the reply belongs to the request. */
  req?: string
  typ?: string
}

// Other JWE header members are refused, because they change the decryption (`zip`, `crit`) or supply a key (`jku`, `jwk`, …).
const KNOWN = new Set(['alg', 'enc', 'kid', 'jti', 'req', 'typ', 'cty'])

// Five parts of base64url without padding. The second part is empty, because `dir` has no encrypted key. `jose` accepts more.
const COMPACT = /^[\w-]+\.\.[\w-]+\.[\w-]*\.[\w-]+$/

const decoder = new TextDecoder('utf-8', { fatal: true })
const encoder = new TextEncoder()

const imported = new WeakMap<Uint8Array, Promise<CryptoKey>>()

/** Imports each secret once. `jose` would import bytes at every call, which takes a tenth of the time of a GetBindInfo. */
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

/** Looks up a key by its `kid`. The result may have more fields than the secret, e.g. the tenant. */
export type FindKey<K> = (kid: string) => (K & { secret: Uint8Array }) | undefined

type Opened<K> = { text: string; header: Header; key: K }

/** Decrypts an envelope. Throws the same `UNAUTHORIZED` for every fault (shape, `alg`, `kid`, tag, encoding). */
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
    'The body was not accepted: it must be a compact JWE with dir and A256GCM, with a kid and key of this server.',
  )
