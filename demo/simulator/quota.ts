/** Counts API calls per path and day. As in WeChat, a day begins at midnight in Beijing. */
import { WechatRefusal } from './errcodes.ts'

/** The daily limits of a verified service account. */
const dailyLimits: Record<string, number> = {
  '/cgi-bin/token': 2_000,
  '/cgi-bin/stable_token': 500_000,
  '/cgi-bin/qrcode/create': 100_000,
  '/cgi-bin/user/info': 5_000_000,
}

const DAY_MS = 86_400_000
const BEIJING_MS = 28_800_000

export type Quota = ReturnType<typeof createQuota>

export function createQuota({ clock }: { clock: () => number }) {
  const used = new Map<string, number>()
  let day = 0

  function today(): Map<string, number> {
    const now = Math.floor((clock() + BEIJING_MS) / DAY_MS)
    if (now !== day) used.clear()
    day = now
    return used
  }

  return {
    /** Counts one call. Throws 45009 if the count exceeds the daily limit. */
    count(path: string): void {
      const calls = today().get(path) ?? 0
      if (calls >= (dailyLimits[path] ?? Infinity)) throw new WechatRefusal(45009)
      used.set(path, calls + 1)
    },
    /** `POST /cgi-bin/openapi/quota/get`. Throws 76021 for a path without a limit. */
    of(path: unknown) {
      const limit = typeof path === 'string' ? dailyLimits[path] : undefined
      if (typeof path !== 'string' || limit === undefined) throw new WechatRefusal(76021)
      const calls = today().get(path) ?? 0
      return { daily_limit: limit, used: calls, remain: limit - calls }
    },
  }
}
