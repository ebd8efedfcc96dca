/** The account's access token: one fetch at a time, renewed before its end, dropped when WeChat says it is dead. */

import type { Fetch } from '../platform.ts'
import { type ApiAnswer, callWechat, expectSuccess, postJson, unavailable } from './http.ts'

export type AccessTokens = {
  /** A token that lives. Throws `WECHAT_*`; ends with `signal`. */
  get(signal: AbortSignal): Promise<string>
  /** Forgets `token` if it is still the one in use, so that ten failed calls drop it once. */
  drop(token: string): void
  /** When the token in use ends, epoch ms; undefined before the first one. */
  expiresAt(): number | undefined
}

export type AccessTokenSettings = {
  appId: string
  appSecret: string
  apiBase: string
  /** The operator's own token service, asked instead of WeChat: GET, `{"access_token","expires_in"}`. */
  accessTokenUrl?: string | undefined
}

type Held = { token: string; renewAt: number; expiresAt: number }

// `stable_token` gives a new token in the last 5 minutes of the old one, which then lives 5 minutes more: asking 2 minutes
// before the end always gets the new one, and every instance that asks gets the same.
const RENEW_BEFORE_MS = 120_000

// Longer than WeChat ever takes when it answers, shorter than the 5 s that our own callers wait.
const FETCH_TIMEOUT_MS = 4_000

export function createAccessTokens(
  settings: AccessTokenSettings,
  { fetch, clock }: { fetch: Fetch; clock: () => number },
): AccessTokens {
  let held: Held | undefined
  let flight: Promise<string> | undefined

  async function renew(): Promise<string> {
    try {
      held = toHeld(await request(settings, fetch), clock())
    } catch (error) {
      // A renewal that fails does no harm while the old token lives.
      if (!held || clock() >= held.expiresAt) throw error
    }
    return held.token
  }

  return {
    get(signal) {
      const now = clock()
      if (held && now < held.renewAt) return Promise.resolve(held.token)
      flight ??= renew().finally(() => {
        flight = undefined
      })
      // Nobody waits for a renewal while the old token lives: it may hang, and the old one does as well.
      if (!held || now >= held.expiresAt) return endWith(flight, signal)
      flight.catch(() => {})
      return Promise.resolve(held.token)
    },
    drop(token) {
      if (held?.token === token) held = undefined
    },
    expiresAt: () => held?.expiresAt,
  }
}

/** The flight is shared: a caller that gives up leaves it to the others. */
function endWith<T>(flight: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const giveUp = () => reject(unavailable('WeChat did not give an access token in time'))
    if (signal.aborted) giveUp()
    signal.addEventListener('abort', giveUp, { once: true })
    flight.then(resolve, reject).finally(() => signal.removeEventListener('abort', giveUp))
  })
}

/** `force_refresh` is never used: it kills the token that the account's other systems hold, and is limited to 20 a day. */
async function request(settings: AccessTokenSettings, fetch: Fetch): Promise<ApiAnswer> {
  const { appId: appid, appSecret: secret, apiBase, accessTokenUrl } = settings
  const signal = AbortSignal.timeout(FETCH_TIMEOUT_MS)
  if (accessTokenUrl !== undefined) return expectSuccess(await callWechat(fetch, accessTokenUrl, {}, signal))
  const body = postJson({ grant_type: 'client_credential', appid, secret, force_refresh: false })
  return expectSuccess(await callWechat(fetch, `${apiBase}/cgi-bin/stable_token`, body, signal))
}

function toHeld({ access_token, expires_in }: ApiAnswer, now: number): Held {
  if (typeof access_token !== 'string' || access_token === '' || typeof expires_in !== 'number') {
    throw unavailable('The answer holds no access_token and expires_in')
  }
  const ttlMs = expires_in * 1000
  return { token: access_token, expiresAt: now + ttlMs, renewAt: now + ttlMs - Math.min(RENEW_BEFORE_MS, ttlMs / 4) }
}
