/** What the page may know of a user. */
import type { User } from '../store/store.ts'
import type { BindingView } from '../wire.ts'

/** A scan that waits comes first: the page must help to confirm it, also where another WeChat is bound still. */
export function toView({ binding, confirmation, reason, version }: User, now: number): BindingView {
  if (confirmation && now < confirmation.until) return { state: 'scanned', confirm: confirmation.confirm, version }
  if (binding) return { state: 'bound', boundAt: Math.floor(binding.boundAt / 1000), version }
  return { state: 'unbound', ...(reason === null ? {} : { reason }), version }
}
