/** The locks that a unit of work holds until its commit, so that the rows it has read do not change. */
import type { Plan } from '../plan.ts'

/**
 * A decision reads two kinds of facts: about a user (its binding and tickets), and about an openid (the users it is bound to and
 * the tickets it has scanned). A unit locks the user or openid before it reads or changes the facts.
 */
export type Locks = {
  /** Returns true if one of the users was not locked before. Rows read earlier may then be out of date. */
  users(ids: number[]): Plan<boolean>
  openid(openid: string): Plan<void>
  /** Locks many openids with one statement. The transaction has no locks yet. */
  openids(openids: string[]): Plan<void>
}

/** SQLite needs no locks, because it has one writer. */
export const noLocks: Locks = {
  // biome-ignore lint/correctness/useYield: sends no statement
  *users() {
    return false
  },
  *openid() {},
  *openids() {},
}
