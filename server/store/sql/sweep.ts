/** Deletes expired rows in small batches. */
import type { Engine } from './engine.ts'
import type { AsStoreError } from './engine-errors.ts'
import { createExpiredRows } from './expired-rows.ts'
import type { Db } from './tx-settings.ts'

// A batch of 200 rows takes 1 to 7 ms of CPU, and on SQLite delays a callback by this time. It takes longer if its pages must be read
// from a slow disk. The next batch is then smaller.
const SIZES = [25, 50, 100, 200] as const
const LONG_MS = 10
const SHORT_MS = 4

/** `present` is an index of `SIZES`. */
function nextSize(present: number, tookMs: number): number {
  if (tookMs > LONG_MS) return Math.max(0, present - 1)
  return tookMs < SHORT_MS ? Math.min(SIZES.length - 1, present + 1) : present
}

export function createSweep(
  db: Db,
  asStoreError: AsStoreError,
  engine: Engine,
  /** Called with the number of deleted rows after each batch; the sweep continues when it resolves. */
  onBatch: (rows: number) => Promise<void> = async () => {},
  /** In ms, from any start. */
  elapsed: () => number = () => performance.now(),
): (now: number) => Promise<void> {
  const bySize = SIZES.map((size) => createExpiredRows(db, engine, size))
  let present = SIZES.length - 1

  return async (now) => {
    for (const table of bySize[0]!.keys()) {
      for (let isMore = true; isMore; ) {
        const startedAt = elapsed()
        const deleted = await asStoreError(bySize[present]![table]!(now))
        isMore = deleted >= SIZES[present]!
        present = nextSize(present, elapsed() - startedAt)
        // SQLite's promises resolve as microtasks. Without this pause no callback could run between two batches.
        await new Promise(setImmediate)
        await onBatch(deleted)
      }
    }
  }
}
