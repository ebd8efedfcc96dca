/** Functions of this folder that change a binding report the changes themselves, after the commit: their callers need not. */
import type { Change, Store } from '../store/store.ts'
import type { ReplyName } from './replies.ts'

/** `said`: the reply in the chat, if there is one. */
export type AfterCommit = (changes: Change[], said?: ReplyName) => void

/** `Deps` of the app has all of these. */
export type ChangeDeps = {
  store: Store
  /** Epoch ms. */
  clock: () => number
  afterCommit: AfterCommit
}
