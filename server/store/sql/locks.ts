/** What a unit locks until its commit, so that what it has read stays true. */
import type { Plan } from '../plan.ts'

/**
 * Decisions are about two things: a user with its binding and tickets, and an openid with the users it is bound to and the
 * tickets it holds. Whoever changes either has locked it.
 */
export type Locks = {
  /** True when one of them was not locked before: what was read of it may be out of date. */
  users(ids: number[]): Plan<boolean>
  openid(openid: string): Plan<void>
}

/** For an engine with one writer. */
export const noLocks: Locks = {
  // biome-ignore lint/correctness/useYield: nothing is asked of an engine.
  *users() {
    return false
  },
  *openid() {},
}
