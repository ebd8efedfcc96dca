/**
 * Caches the account's access token. The token is renewed before it expires, with one request at a time. It is dropped when
 * WeChat calls it invalid.
 */

import { type Fetch, systemTimeLimit, type TimeLimit } from '../platform.ts'
import { isDuration, isPrintable } from './fields.ts'
import { type ApiAnswer, callWechat, expectSuccess, postJson, unavailable } from './http.ts'

export type AccessTokens = {
  /** Resolves with a valid token. Throws `WECHAT_*` if WeChat fails, and if `signal` aborts. */
  get(signal: AbortSignal): Promise<string>
  /** Drops `token` unless a newer token has replaced it, so that several calls that fail with one token cause one renewal. */
  drop(token: string): void
  /** When the current token expires, in epoch ms; undefined before the first token. */
  expiresAt(): number | undefined
}

type AccessTokenSettings = {
  appId: string
  appSecret: string
  apiBase: string
  /** The operator's own token service, used instead of WeChat. It answers GET with `{"access_token","expires_in"}`. */
  accessTokenUrl?: string | undefined
}

type CachedToken = { token: string; renewAt: number; expiresAt: number }

type ReceivedToken = { token: string; ttlMs: number }

// WeChat's tokens have about 140 characters. WeChat's documentation requires room for at least 512.
const MAX_TOKEN_LENGTH = 2_048

// The lifetime of a new token. A token service may name a longer lifetime by mistake.
const MAX_TTL_MS = 7_200_000

// In the last 5 minutes of a token, `stable_token` returns the same new token to every instance. The old token stays valid for
// another 5 minutes. A renewal 2 minutes before the expiry therefore always returns the new token.
const RENEW_BEFORE_MS = 120_000

// WeChat answers within this time, and the callers of this server wait for 5 s.
const FETCH_TIMEOUT_MS = 4_000

export function createAccessTokens(
  settings: AccessTokenSettings,
  { fetch, clock, timeLimit = systemTimeLimit }: { fetch: Fetch; clock: () => number; timeLimit?: TimeLimit },
): AccessTokens {
  let cached: CachedToken | undefined
  let renewal: Promise<string> | undefined

  async function renew(): Promise<string> {
    try {
      cached = toCachedToken(await requestToken(settings, fetch, timeLimit), clock())
    } catch (error) {
      // A failed renewal is no error while the old token is valid.
      if (!cached || clock() >= cached.expiresAt) throw error
    }
    return cached.token
  }

  return {
    get(signal) {
      const now = clock()
      if (cached && now < cached.renewAt) return Promise.resolve(cached.token)
      renewal ??= renew().finally(() => {
        renewal = undefined
      })
      if (!cached || now >= cached.expiresAt) return untilAborted(renewal, signal)
      // The caller does not wait, because the renewal may hang and the old token still works.
      renewal.catch(() => {})
      return Promise.resolve(cached.token)
    },
    drop(token) {
      if (cached?.token === token) cached = undefined
    },
    expiresAt: () => cached?.expiresAt,
  }
}

/** Rejects when `signal` aborts. The renewal continues, because other callers share it. */
function untilAborted<T>(renewal: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const giveUp = () => reject(unavailable('WeChat did not return an access token in time'))
    if (signal.aborted) giveUp()
    signal.addEventListener('abort', giveUp, { once: true })
    renewal.then(resolve, reject).finally(() => signal.removeEventListener('abort', giveUp))
  })
}

async function requestToken(settings: AccessTokenSettings, fetch: Fetch, timeLimit: TimeLimit): Promise<ApiAnswer> {
  const { url, init } = toTokenRequest(settings)
  return expectSuccess(await callWechat(fetch, url, init, timeLimit(FETCH_TIMEOUT_MS)), true)
}

/** `force_refresh` is never sent, because it invalidates the token of the account's other systems and is limited to 20 calls a day. */
export function toTokenRequest({ appId: appid, appSecret: secret, apiBase, accessTokenUrl }: AccessTokenSettings) {
  if (accessTokenUrl !== undefined) return { url: accessTokenUrl, init: {} }
  const body = { grant_type: 'client_credential', appid, secret, force_refresh: false }
  return { url: `${apiBase}/cgi-bin/stable_token`, init: postJson(body) }
}

function toCachedToken(answer: ApiAnswer, now: number): CachedToken {
  const received = parseAccessToken(answer)
  if (!received) throw unavailable('The answer has no valid access_token or expires_in')
  const { token, ttlMs } = received
  return { token, expiresAt: now + ttlMs, renewAt: now + ttlMs - Math.min(RENEW_BEFORE_MS, ttlMs / 4) }
}

/** Undefined unless the answer contains a token that is valid in a URL, and the token's remaining time. */
export function parseAccessToken({ access_token, expires_in }: ApiAnswer): ReceivedToken | undefined {
  if (!isPrintable(access_token, MAX_TOKEN_LENGTH) || !isDuration(expires_in)) return undefined
  return { token: access_token, ttlMs: Math.min(expires_in * 1000, MAX_TTL_MS) }
}
