/**
 * Chooses the number of rows for each transaction of a job or a command that changes many rows while a server runs. On SQLite every
 * callback waits for such a transaction, so it has a budget of time: after a longer transaction the next one gets fewer rows, and
 * after a short one it gets more. The first transaction is the smallest, because its code is not compiled and its pages are not cached.
 */
export type BatchSize = {
  /** The number of rows for the next transaction. */
  present(): number
  /** Call with the time in ms that each transaction took. */
  note(tookMs: number): void
}

export type BatchBudget = {
  /** In ascending order. */
  sizes: readonly number[]
  /** After a longer transaction the next size is smaller. */
  longMs: number
  /** After a shorter transaction the next size is larger. */
  shortMs: number
}

// 200 rows take 1 to 7 ms of CPU in a sweep, and about 12 ms in an import. They take longer if their pages must be read from a slow
// disk.
export const DEFAULT_BUDGET: BatchBudget = { sizes: [25, 50, 100, 200], longMs: 10, shortMs: 4 }

export function createBatchSize({ sizes, longMs, shortMs }: BatchBudget = DEFAULT_BUDGET): BatchSize {
  let index = 0
  return {
    present: () => sizes[index]!,
    note(tookMs) {
      if (tookMs > longMs) index = Math.max(0, index - 1)
      else if (tookMs < shortMs) index = Math.min(sizes.length - 1, index + 1)
    },
  }
}
