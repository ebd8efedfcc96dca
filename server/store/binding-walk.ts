/** Lists all bindings, one page at a time. */
import type { Identity } from './identity.ts'
import type { Binding } from './user.ts'

export type BoundUser = { id: number; identity: Identity; version: number; binding: Binding }

/** Times are epoch ms. Without `tenant`, the bindings of all tenants are listed. */
export type BindingFilter = {
  tenant?: string | undefined
  account?: string | undefined
  appId?: string | undefined
  openid?: string | undefined
  unionid?: string | undefined
  /** Inclusive. */
  boundSince?: number | undefined
  /** Exclusive. */
  boundUntil?: number | undefined
}

/**
 * The position of a binding in the list. It does not change until the binding is removed. A binding that exists from the first page
 * to the last is listed exactly once, even if other bindings change meanwhile.
 */
export type WalkPosition = { tenant: string; boundAt: number; user: number }

/** The next `limit` bindings in the order of tenant, `boundAt` and user. */
export type BindingWalk = (
  filter: BindingFilter,
  after: WalkPosition | undefined,
  limit: number,
) => Promise<BoundUser[]>

export const positionOf = ({ id, identity, binding }: BoundUser): WalkPosition => ({
  tenant: identity.tenant,
  boundAt: binding.boundAt,
  user: id,
})
