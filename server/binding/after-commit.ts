/** The type of `afterCommit`. Every function of `binding/` that changes a binding calls it after the commit. */
import type { Change, Store } from '../store/store.ts'
import type { ReplyName } from './replies.ts'

/** `said` is the name of the reply in the chat, if there is a reply. */
export type AfterCommit = (changes: Change[], said?: ReplyName) => void

/** A subset of `Deps`. */
export type ChangeDeps = {
  store: Store
  /** Epoch ms. */
  clock: () => number
  afterCommit: AfterCommit
}
