/** Every function of `binding/` that changes a binding calls `afterCommit` itself once the transaction is committed. */
import type { Change, Store } from '../store/store.ts'
import type { ReplyName } from './replies.ts'

/** `said`: the reply in the chat, if there is one. */
export type AfterCommit = (changes: Change[], said?: ReplyName) => void

/** A subset of `Deps`. */
export type ChangeDeps = {
  store: Store
  /** Epoch ms. */
  clock: () => number
  afterCommit: AfterCommit
}
