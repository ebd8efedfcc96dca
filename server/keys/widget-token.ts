/** The widget token names the Account and User_ID of a page's user. A back end encrypts the token; the server decrypts it. */

import { parseJson, parseShape, type TokenClaims, tokenSchema } from '../api/request-schemas.ts'
import { BindError } from '../errors.ts'
import { type FindKey, openEnvelope, TOKEN_TYPE } from './envelope.ts'

export { sealToken, type TokenRequest } from './seal-token.ts'

// Without this tolerance, all new tokens of a back end whose clock is ahead would be refused.
const SKEW_SECONDS = 300

/** Throws `TOKEN_EXPIRED` if the token is genuine and has expired, and `UNAUTHORIZED` for all other faults. */
export async function openToken<K>(jwe: string, findKey: FindKey<K>, nowMs: number): Promise<TokenClaims & { key: K }> {
  const { text, key } = await openEnvelope(jwe, TOKEN_TYPE, findKey)
  const claims = parseClaims(text)
  const now = nowMs / 1000
  if (claims.iat > now + SKEW_SECONDS) throw unauthorized()
  if (claims.exp <= now)
    throw new BindError('TOKEN_EXPIRED', 'The widget token has expired: get a new one from the page’s own server.')
  return { ...claims, key }
}

function parseClaims(text: string): TokenClaims {
  try {
    return parseShape(tokenSchema, parseJson(text))
  } catch {
    throw unauthorized()
  }
}

const unauthorized = () =>
  new BindError('UNAUTHORIZED', 'The widget token was not accepted: make a token with a key of this server.')
