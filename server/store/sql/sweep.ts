/** Deletes expired rows in small batches. */
import { createBatchSize, DEFAULT_BUDGET } from '../batch-size.ts'
import type { Engine } from './engine.ts'
import type { AsStoreError } from './engine-errors.ts'
import { createExpiredRows } from './expired-rows.ts'
import type { Db } from './tx-settings.ts'

export function createSweep(
  db: Db,
  asStoreError: AsStoreError,
  engine: Engine,
  /** Called after each batch with the number of deleted rows and its time in ms; the sweep continues when it resolves. */
  onBatch: (rows: number, tookMs: number) => Promise<void> = async () => {},
  /** In ms, from any start. */
  elapsed: () => number = () => performance.now(),
): (now: number) => Promise<void> {
  const bySize = new Map(DEFAULT_BUDGET.sizes.map((size) => [size, createExpiredRows(db, engine, size)]))
  const tables = [...bySize.get(DEFAULT_BUDGET.sizes[0]!)!.keys()]
  const batch = createBatchSize()

  return async (now) => {
    for (const table of tables) {
      for (let isMore = true; isMore; ) {
        const size = batch.present()
        const startedAt = elapsed()
        const deleted = await asStoreError(bySize.get(size)![table]!(now))
        const tookMs = elapsed() - startedAt
        isMore = deleted >= size
        // Fewer rows than the batch allows would make the next one larger, and its first transaction long.
        if (isMore) batch.note(tookMs)
        // SQLite's promises resolve as microtasks. Without this pause no callback could run between two batches.
        await new Promise(setImmediate)
        await onBatch(deleted, tookMs)
      }
    }
  }
}
