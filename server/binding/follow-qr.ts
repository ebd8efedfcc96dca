/**
 * The QR code with which a bound user follows the Official Account. It is the same for all users and binds nobody, so it needs no
 * ticket, and one call to WeChat every few weeks is enough.
 */
import type { WechatApi } from '../wechat/api.ts'
import type { FollowQr } from '../wire.ts'
import { toQrPath } from './qr-path.ts'

/** The scene of this QR code. It does not begin with `SCENE_PREFIX`, so it is no ticket. */
export const FOLLOW_SCENE = 'wbf_follow'

// WeChat's limit is 30 days.
const TTL_SECONDS = 2_592_000

// A page may show the QR code for a day.
const RENEW_BEFORE_MS = 86_400_000

// After a refusal by WeChat, the next try waits for this time, so that not every page causes a call.
const RETRY_MS = 60_000

type FollowQrDeps = { wechat: WechatApi; accountName: string | undefined; clock: () => number }

/** Resolves with undefined while WeChat makes no QR code. */
export function createFollowQr({ wechat, accountName, clock }: FollowQrDeps): () => Promise<FollowQr | undefined> {
  let made: Promise<FollowQr | undefined> | undefined
  let renewAt = Number.NEGATIVE_INFINITY

  async function make(): Promise<FollowQr | undefined> {
    try {
      const { url, expireSeconds } = await wechat.createQrcode(FOLLOW_SCENE, TTL_SECONDS)
      renewAt = clock() + Math.max(RETRY_MS, expireSeconds * 1000 - RENEW_BEFORE_MS)
      return { url, qr: toQrPath(url), ...(accountName === undefined ? {} : { account: accountName }) }
    } catch {
      // The error is ignored, because the binding matters more than the hint to follow. The metrics count WeChat's answer.
      return undefined
    }
  }

  return () => {
    if (!made || clock() >= renewAt) {
      renewAt = clock() + RETRY_MS
      made = make()
    }
    return made
  }
}
