/** The widget token says "this browser belongs to Account A, User_ID U". The product's back end seals it; the server opens it. */

import { parseJson, parseShape, type Scope, type TokenClaims, tokenSchema } from '../api/request-schemas.ts'
import { BindError } from '../errors.ts'
import { type FindKey, openEnvelope, sealEnvelope, TOKEN_TYPE } from './envelope.ts'

export type TokenRequest = {
  account: string
  userId: string
  /** The name of the account in the chat, e.g. `ab***@example.com`. */
  label?: string
  scope?: Scope[]
  /** Seconds, at most 3600. Default 900. */
  ttlSeconds?: number
}

// A client whose clock is ahead must not have all of its new tokens refused.
const SKEW_SECONDS = 300

/** Makes a token without a call to the server. */
export function sealToken(request: TokenRequest, kid: string, secret: Uint8Array, nowMs: number): Promise<string> {
  const { account: Account, userId: User_ID, label: Label, scope, ttlSeconds = 900 } = request
  const iat = Math.floor(nowMs / 1000)
  const claims: Record<string, unknown> = { Account, User_ID, iat, exp: iat + ttlSeconds, Label, scope }
  parseShape(tokenSchema, claims)
  return sealEnvelope(claims, { kid, typ: TOKEN_TYPE }, secret)
}

/** Throws `UNAUTHORIZED` for every fault alike, or `TOKEN_EXPIRED` for a genuine token that has expired. */
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
  new BindError('UNAUTHORIZED', 'The widget token was not accepted: mint one with a key of this server.')
