/**
 * The type of the function `afterCommit`. Every function of `binding/` that changes a binding calls `afterCommit` after the
 * commit.
 */
import type { Change, Store } from '../store/store.ts'
import type { ReplyName } from './replies.ts'
import type { ScanOutcome } from './scan-outcome.ts'

/** `said` is the name of the reply in the chat, if there is a reply. `scan` is the outcome of a scan. */
export type AfterCommit = (changes: Change[], said?: ReplyName, scan?: ScanOutcome) => void

/** A subset of `Deps`. */
export type ChangeDeps = {
  store: Store
  /** Epoch ms. */
  clock: () => number
  afterCommit: AfterCommit
}
