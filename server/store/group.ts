/** Commits together the units that arrive together: one fsync for all of them, and each waits for it. */

export type Unit<Tx> = { work: (tx: Tx) => Promise<unknown>; settle: Settle }
type Settle = { resolve: (value: never) => void; reject: (error: unknown) => void }

/** The fault of one unit, the `index`th: the others may go on without it. */
export class UnitFault extends Error {
  readonly index: number

  constructor(index: number, cause: unknown) {
    super('a unit failed', { cause })
    this.index = index
  }
}

/**
 * Runs the units in one transaction, in order; resolves with their results after the commit, or undoes all: with a
 * `UnitFault` when one unit is to blame, with anything else when the engine is.
 */
export type RunAll<Tx> = (works: Unit<Tx>['work'][]) => Promise<unknown[]>

// More in one transaction would only make the first wait for the last.
const MOST = 256

/** `write` of a store that has one writer. When a unit throws, the others are run again without it, so that it fails alone. */
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
      if (!(error instanceof UnitFault)) {
        // The engine fails them all: to try each alone would only make the last wait for every fault before it.
        for (const unit of units) unit.settle.reject(error)
        return
      }
      units.splice(error.index, 1)[0]?.settle.reject(error.cause)
      if (units.length > 0) await commit(units)
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
