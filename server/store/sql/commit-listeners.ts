/** The functions of this instance that are called after commits. */
import type { CommitNotice } from '../store.ts'

type CommitListener = (notice: CommitNotice) => void

export function createCommitListeners() {
  const listeners = new Set<CommitListener>()
  return {
    /** Returns a function that removes the listener. */
    add(listener: CommitListener): () => void {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    notify(notices: Iterable<CommitNotice>): void {
      for (const notice of notices) for (const listener of listeners) listener(notice)
    },
  }
}
