/** Who on this instance wants to hear of commits. */
import type { Tidings } from './store.ts'

type Listener = (tidings: Tidings) => void

export function createListeners() {
  const listeners = new Set<Listener>()
  return {
    /** Returns its own end. */
    add(listener: Listener): () => void {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    tell(all: Iterable<Tidings>): void {
      for (const tidings of all) for (const listener of listeners) listener(tidings)
    },
  }
}
