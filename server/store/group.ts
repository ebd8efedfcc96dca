/** Commits together the units that arrive together: one fsync for all of them, and each waits for it. */

export type Unit<Tx> = { work: (tx: Tx) => Promise<unknown>; settle: Settle }
type Settle = { resolve: (value: never) => void; reject: (error: unknown) => void }

/** Runs the units in one transaction, in order; resolves with their results after the commit, or throws and undoes all. */
export type RunAll<Tx> = (works: Unit<Tx>['work'][]) => Promise<unknown[]>

// More in one transaction would only make the first wait for the last.
const MOST = 256

/** `write` of a store that has one writer. A unit that throws is run again without the others, so that it fails alone. */
export function createGroup<Tx>(runAll: RunAll<Tx>) {
  const queue: Unit<Tx>[] = []
  let running: Promise<void> | undefined

  async function drain(): Promise<void> {
    // The end of the event-loop turn: what the same turn reads from its sockets joins.
    await new Promise(setImmediate)
    while (queue.length > 0) await commit(queue.splice(0, MOST))
    running = undefined
  }

  async function commit(units: Unit<Tx>[]): Promise<void> {
    try {
      const results = await runAll(units.map((unit) => unit.work))
      for (const [i, unit] of units.entries()) unit.settle.resolve(results[i] as never)
    } catch (error) {
      if (units.length === 1) return units[0]!.settle.reject(error)
      for (const unit of units) await commit([unit])
    }
  }

  return {
    write<T>(work: (tx: Tx) => Promise<T>): Promise<T> {
      return new Promise((resolve, reject) => {
        queue.push({ work, settle: { resolve, reject } })
        running ??= drain()
      })
    },
    /** Resolves when nothing is left to commit. */
    idle: () => running ?? Promise.resolve(),
  }
}
