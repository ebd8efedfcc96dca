/** Who on this instance wants to hear of commits. */
import type { CommitNotice } from '../store.ts'

type Listener = (notice: CommitNotice) => void

export function createListeners() {
  const listeners = new Set<Listener>()
  return {
    /** Returns its own end. */
    add(listener: Listener): () => void {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    tell(all: Iterable<CommitNotice>): void {
      for (const notice of all) for (const listener of listeners) listener(notice)
    },
  }
}
