/** A unit of work in a queue, with the functions that settle its caller's promise. */
import type { UnitOfWork } from './store.ts'

export type QueuedUnit = { work: UnitOfWork; settle: Settle }

type Settle = { resolve: (value: never) => void; reject: (error: unknown) => void }
