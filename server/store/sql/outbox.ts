/** The outbox, the queues of the receivers and the states of the receivers, in SQL for both engines. */
import type { Outbox } from '../outbox.ts'
import type { Engine } from './engine.ts'
import type { AsStoreError, RunWrite } from './engine-errors.ts'
import { createClaims } from './notice-claims.ts'
import { createMakeDue, type WritePlan } from './notice-due.ts'
import { createNoticeList } from './notice-list.ts'
import { createReplay } from './notice-replay.ts'
import { createDispatch } from './outbox-dispatch.ts'
import { createReceiverStates } from './receiver-states.ts'
import type { Db } from './tx-settings.ts'

type OutboxOptions = {
  db: Db
  engine: Engine
  asStoreError: AsStoreError
  /** Runs a plan in a transaction. */
  write: WritePlan
  /** SQLite counts the writes, and delays them while the log is truncated. */
  runWrite?: RunWrite
}

export function createOutbox(options: OutboxOptions): Outbox {
  const { db, engine, asStoreError, write, runWrite = (run) => asStoreError(run()) } = options
  const makeDue = createMakeDue(db, engine, write, asStoreError)
  return {
    ...createDispatch({ db, engine, asStoreError, write, runWrite }),
    ...createClaims({ db, engine, asStoreError, runWrite }),
    ...createReceiverStates(db, makeDue, asStoreError, runWrite),
    ...createNoticeList(db, engine, asStoreError),
    ...createReplay(db, makeDue, runWrite),
  }
}
