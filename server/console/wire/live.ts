/** The page Live. */
import type { UserName } from './users.ts'

/** The value for `after` in the next request. Without `after`, the page gets the newest events (at most 50), the newest last. */
export type LivePage = { events: LiveEvent[]; cursor: string }

export type LiveEvent = UserName & {
  id: string
  type: 'binding.bound' | 'binding.unbound' | 'binding.updated'
  reason: string
  version: number
  at: number
}
