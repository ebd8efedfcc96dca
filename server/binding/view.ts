/** The part of a user that the page may see. */
import type { User } from '../store/store.ts'
import type { BindingView } from '../wire.ts'

/** `scanned` takes precedence over `bound`, because the page has to confirm the scan even if another WeChat user is still bound. */
export function toView({ binding, confirmation, reason, version }: User, now: number): BindingView {
  if (confirmation && now < confirmation.until) return { state: 'scanned', confirm: confirmation.confirm, version }
  if (binding) return { state: 'bound', boundAt: Math.floor(binding.boundAt / 1000), version }
  return { state: 'unbound', ...(reason === null ? {} : { reason }), version }
}
