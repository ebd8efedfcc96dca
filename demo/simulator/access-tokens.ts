/** The account's access tokens: the classic kind, where each new one kills the last, and the stable kind, which is shared. */
import type { Random } from './account.ts'
import { WechatRefusal } from './errcodes.ts'

type AccessToken = {
  value: string
  /** Epoch ms. Past it the answer is 42001. */
  expiresAt: number
  /** Epoch ms from which a newer one has taken its place: 40001. */
  replacedAt: number
}

/** The answer of both endpoints. */
type Grant = { access_token: string; expires_in: number }

const LIFE_MS = 7_200_000
// WeChat's "both work for 5 minutes" around a switch, and the last 5 minutes in which `stable_token` renews.
const OVERLAP_MS = 300_000
// A forced refresh does nothing within 30 s of the last one, and is allowed 20 times a day.
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
    const left = stable && isAlive(stable, now) ? stable.expiresAt - now : 0
    if (stable && left > OVERLAP_MS) return stable
    // A token that was just handed out is good for 5 minutes, also when its end was nearer.
    if (stable && left > 0) stable.expiresAt = now + OVERLAP_MS
    stable = issue()
    return stable
  }

  function forceStable(): AccessToken {
    const now = clock()
    forcedAt = forcedAt.filter((at) => at > now - DAY_MS)
    if (stable && isAlive(stable, now) && now - (forcedAt.at(-1) ?? -Infinity) < FORCE_PAUSE_MS) return stable
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
    /** `GET /cgi-bin/token`: always a new one; the one before works for 5 minutes more. */
    issueClassic(): Grant {
      if (classic) classic.replacedAt = clock() + OVERLAP_MS
      classic = issue()
      return toGrant(classic)
    },
    /** `POST /cgi-bin/stable_token`: the same one to all who ask while it lives. */
    issueStable(force = false): Grant {
      return toGrant(force ? forceStable() : renewStable())
    },
    /** Throws 41001, 40014, 40001 or 42001 unless the token is good. */
    check(value: string | undefined): void {
      if (!value) throw new WechatRefusal(41001)
      const token = issued.get(value)
      if (!token) throw new WechatRefusal(40014)
      if (clock() >= token.replacedAt) throw new WechatRefusal(40001)
      if (clock() >= token.expiresAt) throw new WechatRefusal(42001)
    },
    /** Makes every token of now stale, as another system's forced refresh does. */
    revoke(): void {
      for (const token of issued.values()) token.replacedAt = Math.min(token.replacedAt, clock())
    },
  }
}

const isAlive = ({ expiresAt, replacedAt }: AccessToken, now: number) => now < expiresAt && now < replacedAt
