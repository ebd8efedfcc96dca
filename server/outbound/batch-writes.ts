/**
 * Collects the items of a few milliseconds and writes them together, because a write of one item takes nearly as long as a write
 * of many. Items that arrive while a write runs go into the next write.
 */
import type { SetTimer } from '../platform.ts'

type BatchWrites<T> = {
  /** Resolves once the item is written, and rejects if the write fails. */
  add(item: T): Promise<void>
  /** Writes the present items at once, and later items without collecting. */
  close(): void
}

export function createBatchWrites<T>(
  write: (items: T[]) => Promise<void>,
  setTimer: SetTimer,
  collectMs: number,
): BatchWrites<T> {
  let batch: { items: T[]; written: Promise<void>; start: () => void } | undefined
  let previous: Promise<unknown> = Promise.resolve()
  let isClosed = false

  function begin() {
    const items: T[] = []
    const { promise: started, resolve: start } = Promise.withResolvers<void>()
    const cancelTimer = setTimer(start, collectMs)
    const written = Promise.all([started, previous]).then(() => {
      cancelTimer()
      batch = undefined
      return write(items)
    })
    if (isClosed) start()
    previous = written.catch(() => {})
    return { items, written, start }
  }

  return {
    add(item) {
      batch ??= begin()
      batch.items.push(item)
      return batch.written
    },
    close() {
      isClosed = true
      batch?.start()
    },
  }
}
