/** Selects the fields of a user that the page may see, and those that a back end gets. */
import type { User } from '../store/store.ts'
import type { BindingView, FollowQr, Notice } from '../wire.ts'

/** `hasOauth`: whether a page tells its user to follow the account. `scanned` takes precedence over `bound`, because the page has to confirm the scan even if another WeChat user is still bound. */
export function toView(user: User, now: number, { hasOauth = false } = {}): BindingView {
  const { binding, confirmation, reason } = user
  const more = { version: user.version, ...noticeOf(user, now) }
  if (confirmation && now < confirmation.until) return { state: 'scanned', confirm: confirmation.confirm, ...more }
  if (binding) {
    const follow = hasOauth && !binding.subscribed ? { subscribed: false as const } : {}
    return { state: 'bound', boundAt: Math.floor(binding.boundAt / 1000), ...follow, ...more }
  }
  return { state: 'unbound', ...(reason === null ? {} : { reason }), ...more }
}

/** Adds the QR code to follow the Official Account, if the page shows this QR code. */
export async function withFollowQr(
  view: BindingView,
  followQr: (() => Promise<FollowQr | undefined>) | undefined,
): Promise<BindingView> {
  if (view.state !== 'bound' || view.subscribed !== false) return view
  const follow = await followQr?.()
  return follow ? { ...view, follow } : view
}

const NOTICE_SHOWN_MS = 60_000

/** Returns the notice of a refused scan. A notice lasts until the user's state changes, and for at most a minute. */
export function noticeOf({ refusedScan, version }: User, now: number): { notice?: Notice } {
  if (refusedScan?.version !== version || now >= refusedScan.at + NOTICE_SHOWN_MS) return {}
  return { notice: refusedScan.notice }
}

/** `appId`: the server's AppID, which the result contains for a user without a binding. */
export const toBindInfo = ({ binding, version }: Pick<User, 'binding' | 'version'>, appId: string) => ({
  IsBound: binding !== null,
  OpenId: binding?.openid ?? null,
  UnionId: binding?.unionid ?? null,
  AppId: binding?.appId ?? appId,
  IsSubscribed: binding?.subscribed ?? false,
  BoundAt: binding ? Math.floor(binding.boundAt / 1000) : null,
  Version: version,
})
