/** Every query of a unit of work, in SQL for both engines. */
import type { Kysely } from 'kysely'
import { createAuthorizationQueries } from './authorization-queries.ts'
import { createBindingQueries } from './binding-queries.ts'
import { createBulkQueries } from './bulk-queries.ts'
import { createActionQueries } from './console-actions.ts'
import type { Engine } from './engine.ts'
import { createErasureQueries } from './erasure-queries.ts'
import { createEventQueries } from './event-queries.ts'
import { createExpiringRowQueries } from './expiring-row-queries.ts'
import type { Tables } from './tables.ts'
import { createTicketQueries } from './ticket-queries.ts'
import { createUserQueries } from './user-queries.ts'

export type Queries = ReturnType<typeof createQueries>

export const createQueries = (db: Kysely<Tables>, engine: Engine) => ({
  ...createUserQueries(db),
  ...createTicketQueries(db),
  ...createAuthorizationQueries(db),
  ...createBindingQueries(db),
  ...createEventQueries(db),
  ...createErasureQueries(db),
  ...createExpiringRowQueries(db),
  ...createActionQueries(db),
  ...createBulkQueries(db, engine),
})
