/** Collects the items that arrive while the previous write runs, and writes them together. */

/** Returns a function that resolves once its item is written, and rejects if the write fails. */
export function createBatchWrites<T>(write: (items: T[]) => Promise<void>): (item: T) => Promise<void> {
  let batch: { items: T[]; written: Promise<void> } | undefined
  let previous: Promise<unknown> = Promise.resolve()

  function begin() {
    const items: T[] = []
    const written = previous.then(() => {
      batch = undefined
      return write(items)
    })
    previous = written.catch(() => {})
    return { items, written }
  }

  return (item) => {
    batch ??= begin()
    batch.items.push(item)
    return batch.written
  }
}
