/** Sends together the units that arrive together, where an engine has many writers: a few transactions fly at a time. */
import type { QueuedUnit } from '../queued-unit.ts'
import type { UnitOfWork } from '../store.ts'

// Enough that one that waits for a lock of another instance does not hold up the others, and few enough that they fill.
const LANES = 4

// More in one transaction would only make the first wait for the last.
const MOST = 64

/** The transaction was undone before its commit; its units may run again. */
export class RolledBack extends Error {}

/**
 * `runTogether` runs units at the same time in one transaction, and throws `RolledBack` when one of them fails or two of them are
 * about the same thing; then each runs alone.
 */
export function createBatchedTransactions(
  runTogether: (works: UnitOfWork[]) => Promise<unknown[]>,
  runAlone: (work: UnitOfWork) => Promise<unknown>,
) {
  const queue: QueuedUnit[] = []
  const lanes = new Set<Promise<void>>()

  async function fly(): Promise<void> {
    // The end of the event-loop turn: what the same turn reads from its sockets joins.
    await new Promise(setImmediate)
    while (queue.length > 0) await send(queue.splice(0, MOST))
  }

  async function send(units: QueuedUnit[]): Promise<void> {
    if (units.length === 1) return sendAlone(units)
    try {
      const results = await runTogether(units.map(({ work }) => work))
      for (const [i, { settle }] of units.entries()) settle.resolve(results[i] as never)
    } catch (error) {
      if (error instanceof RolledBack) return sendAlone(units)
      for (const { settle } of units) settle.reject(error)
    }
  }

  async function sendAlone(units: QueuedUnit[]): Promise<void> {
    await Promise.all(units.map(({ work, settle }) => runAlone(work).then(settle.resolve as never, settle.reject)))
  }

  return {
    write<T>(work: UnitOfWork<T>): Promise<T> {
      return new Promise((resolve, reject) => {
        queue.push({ work, settle: { resolve, reject } })
        if (lanes.size >= LANES) return
        const lane = fly().finally(() => lanes.delete(lane))
        lanes.add(lane)
      })
    },
    /** Resolves when nothing is left to commit. */
    async idle(): Promise<void> {
      while (lanes.size > 0) await Promise.all(lanes)
    },
  }
}
