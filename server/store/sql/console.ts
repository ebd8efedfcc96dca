/** The queries of the console's sessions, actions, figures and searches, in SQL for both engines. */
import type { ConsoleStore } from '../console-store.ts'
import { createConsoleActions } from './console-actions.ts'
import { createConsoleSessions } from './console-sessions.ts'
import type { Engine } from './engine.ts'
import type { AsStoreError } from './engine-errors.ts'
import { createFigures } from './figures.ts'
import { readLiveEvents } from './live-events.ts'
import type { Runners, RunPlan } from './runners.ts'
import type { Db } from './tx-settings.ts'
import { findTenants, searchUsers } from './user-search.ts'

/** `write` runs a plan in a transaction. */
export type ConsoleDeps = { db: Db; engine: Engine; read: RunPlan; write: RunPlan; asStoreError: AsStoreError }

export function createConsoleStore(deps: ConsoleDeps): ConsoleStore {
  const { db, engine, asStoreError } = deps
  const run: Runners = {
    read: (plan) => asStoreError(deps.read(plan)),
    write: (plan) => asStoreError(deps.write(plan)),
  }
  return {
    ...createConsoleSessions(db, run),
    ...createConsoleActions(db, run),
    ...createFigures(db, run),
    tenants: () => run.read(() => findTenants(db)),
    searchUsers: (...page) => run.read(() => searchUsers(db, engine, ...page)),
    liveEvents: (...page) => run.read(() => readLiveEvents(db, engine, ...page)),
  }
}
