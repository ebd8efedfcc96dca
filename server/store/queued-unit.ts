/** A unit of work that waits for its transaction, with the promise of its caller. */
import type { UnitOfWork } from './store.ts'

export type QueuedUnit = { work: UnitOfWork; settle: Settle }

type Settle = { resolve: (value: never) => void; reject: (error: unknown) => void }
