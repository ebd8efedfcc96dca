/** A unit of work in a queue, with the functions that settle its caller's promise. */
import type { UnitOfWork, WriteOptions } from './store.ts'

export type QueuedUnit = { work: UnitOfWork; settle: Settle; options?: WriteOptions | undefined }

type Settle = { resolve: (value: never) => void; reject: (error: unknown) => void }
