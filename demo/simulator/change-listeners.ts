/** Tells whoever watches that something has changed; what, they read for themselves. */
export type Changes = ReturnType<typeof createChanges>

export function createChanges() {
  const watchers = new Set<() => void>()
  return {
    notify(): void {
      for (const watcher of watchers) watcher()
    },
    /** Returns the function that ends the watch. */
    watch(watcher: () => void): () => void {
      watchers.add(watcher)
      return () => watchers.delete(watcher)
    },
  }
}
