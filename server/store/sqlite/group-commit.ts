/** Commits together the units that arrive together: one sync of the disk for all of them, and each waits for it. */
import type { QueuedUnit } from '../queued-unit.ts'
import type { UnitOfWork } from '../store.ts'

/** The fault of one unit, the `index`th: the others may go on without it. */
export class UnitFault extends Error {
  readonly index: number

  constructor(index: number, cause: unknown) {
    super('a unit failed', { cause })
    this.index = index
  }
}

/** What a transaction has given: a result for each unit, and what to do once it is on the disk. */
export type Batch = { results: unknown[]; whenDurable: () => void }

type Writer = {
  /** Runs the units in order, in one transaction, or undoes all: with a `UnitFault` when one of them is to blame. */
  commit(works: UnitOfWork[]): Promise<Batch>
  /** Resolves when all that was committed before is on the disk. */
  synced(): Promise<void>
}

// More in one transaction would only make the first wait for the last.
const MOST = 256

// Turns of the event loop: the sockets of a crowd are read within a few.
const MOST_TURNS = 8

/**
 * `write` of a store that has one writer. While one transaction is synced the next is run already. When a unit throws, the
 * others are run again without it, so that it fails alone.
 */
export function createGroup({ commit, synced }: Writer) {
  const queue: QueuedUnit[] = []
  let running: Promise<void> | undefined
  // The last batch: they are synced in the order in which they were committed.
  let settling: Promise<void> | undefined

  async function drain(): Promise<void> {
    while (queue.length > 0) {
      await waitForBatch()
      await run(queue.splice(0, MOST))
    }
    running = undefined
  }

  /**
   * What comes while more comes joins: half as many commits, and 7 % more callbacks, than at the end of the first turn. One turn
   * there is before each transaction, so that a flood of them does not keep everybody else from the event loop.
   */
  async function waitForBatch(): Promise<void> {
    for (let turn = 0, seen = 0; turn < MOST_TURNS && seen < queue.length; turn++) {
      seen = queue.length
      await new Promise(setImmediate)
      if (queue.length >= MOST) return
    }
  }

  async function run(units: QueuedUnit[]): Promise<void> {
    try {
      const batch = await commit(units.map(({ work }) => work))
      settling = settle(units, batch)
    } catch (error) {
      if (!(error instanceof UnitFault)) return rejectAll(units, error)
      units.splice(error.index, 1)[0]?.settle.reject(error.cause)
      if (units.length > 0) await run(units)
    }
  }

  async function settle(units: QueuedUnit[], { results, whenDurable }: Batch): Promise<void> {
    try {
      await synced()
    } catch (error) {
      return rejectAll(units, error)
    }
    whenDurable()
    for (const [i, unit] of units.entries()) unit.settle.resolve(results[i] as never)
  }

  return {
    write<T>(work: UnitOfWork<T>): Promise<T> {
      return new Promise((resolve, reject) => {
        queue.push({ work, settle: { resolve, reject } })
        running ??= drain()
      })
    },
    /** Resolves when nothing is left to commit or to sync. */
    async idle(): Promise<void> {
      let last: Promise<void> | undefined
      do {
        await running
        last = settling
        await last
      } while (running || last !== settling)
    },
  }
}

/** The engine fails them all: to try each alone would only make the last wait for every fault before it. */
function rejectAll(units: QueuedUnit[], error: unknown): void {
  for (const { settle } of units) settle.reject(error)
}
