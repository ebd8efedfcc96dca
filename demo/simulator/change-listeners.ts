/**
 * Calls the listeners after each change of the simulated state. A listener gets no arguments and reads the new state
 * itself.
 */
export type ChangeListeners = ReturnType<typeof createChangeListeners>

export function createChangeListeners() {
  const watchers = new Set<() => void>()
  return {
    notify(): void {
      for (const watcher of watchers) watcher()
    },
    /** Returns a function that removes the listener. */
    watch(watcher: () => void): () => void {
      watchers.add(watcher)
      return () => watchers.delete(watcher)
    },
  }
}
