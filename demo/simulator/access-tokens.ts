/** The account's access tokens. Each new token of `/cgi-bin/token` replaces the previous token. All callers of `/cgi-bin/stable_token` get the same token. */
import type { Random } from './account.ts'
import { WechatRefusal } from './errcodes.ts'

type AccessToken = {
  value: string
  /** Epoch ms. The token is expired from this time on, and the API answers 42001. */
  expiresAt: number
  /** Epoch ms. The token is replaced from this time on, and the API answers 40001. */
  replacedAt: number
}

/** The response of both endpoints. */
type Grant = { access_token: string; expires_in: number }

const LIFE_MS = 7_200_000
// After a renewal WeChat accepts the old and the new token for 5 minutes. In the last 5 minutes of a token's lifetime,
// `stable_token` returns a new token.
const OVERLAP_MS = 300_000
// WeChat ignores a forced refresh within 30 s of the previous one, and allows 20 forced refreshes a day.
const FORCE_PAUSE_MS = 30_000
const FORCE_PER_DAY = 20
const DAY_MS = 86_400_000

export type AccessTokens = ReturnType<typeof createAccessTokens>

export function createAccessTokens({ clock, random }: { clock: () => number; random: Random }) {
  const issued = new Map<string, AccessToken>()
  let classic: AccessToken | undefined
  let stable: AccessToken | undefined
  let forcedAt: number[] = []

  function issue(): AccessToken {
    const now = clock()
    for (const [value, { expiresAt }] of issued) if (expiresAt < now - DAY_MS) issued.delete(value)
    const token = { value: `99_${random(99).toString('base64url')}`, expiresAt: now + LIFE_MS, replacedAt: Infinity }
    issued.set(token.value, token)
    return token
  }

  function renewStable(): AccessToken {
    const now = clock()
    const left = stable && isValid(stable, now) ? stable.expiresAt - now : 0
    if (stable && left > OVERLAP_MS) return stable
    // The old token stays valid for 5 minutes, even if less of its lifetime was left.
    if (stable && left > 0) stable.expiresAt = now + OVERLAP_MS
    stable = issue()
    return stable
  }

  function forceStable(): AccessToken {
    const now = clock()
    forcedAt = forcedAt.filter((at) => at > now - DAY_MS)
    if (stable && isValid(stable, now) && now - (forcedAt.at(-1) ?? -Infinity) < FORCE_PAUSE_MS) return stable
    if (forcedAt.length >= FORCE_PER_DAY) throw new WechatRefusal(45009)
    forcedAt.push(now)
    if (stable) stable.replacedAt = now
    stable = issue()
    return stable
  }

  const toGrant = ({ value, expiresAt }: AccessToken): Grant => ({
    access_token: value,
    expires_in: Math.floor((expiresAt - clock()) / 1000),
  })

  return {
    /** `GET /cgi-bin/token` always returns a new token. The previous token stays valid for 5 minutes. */
    issueClassic(): Grant {
      if (classic) classic.replacedAt = clock() + OVERLAP_MS
      classic = issue()
      return toGrant(classic)
    },
    /** `POST /cgi-bin/stable_token` returns the same token to all callers while it is valid. */
    issueStable(force = false): Grant {
      return toGrant(force ? forceStable() : renewStable())
    },
    /** Throws 41001, 40014, 40001 or 42001 if the token is not valid. */
    check(value: string | undefined): void {
      if (!value) throw new WechatRefusal(41001)
      const token = issued.get(value)
      if (!token) throw new WechatRefusal(40014)
      if (clock() >= token.replacedAt) throw new WechatRefusal(40001)
      if (clock() >= token.expiresAt) throw new WechatRefusal(42001)
    },
    /** Invalidates all current tokens, as a forced refresh by another system does. */
    revoke(): void {
      for (const token of issued.values()) token.replacedAt = Math.min(token.replacedAt, clock())
    },
  }
}

const isValid = ({ expiresAt, replacedAt }: AccessToken, now: number) => now < expiresAt && now < replacedAt
