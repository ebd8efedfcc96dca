/** The queries that add events, in SQL for both engines. */
import type { Insertable, Kysely } from 'kysely'
import { query } from './compiled-query.ts'
import type { Tables } from './tables.ts'

export type NewEvent = Pick<
  Insertable<Tables['events']>,
  'user' | 'version' | 'type' | 'reason' | 'at' | 'uid' | 'tenant'
>

export function createEventQueries(db: Kysely<Tables>) {
  const addEvent = (p: NewEvent) =>
    db.insertInto('events').values({
      user: p.user,
      version: p.version,
      type: p.type,
      reason: p.reason,
      at: p.at,
      uid: p.uid,
      tenant: p.tenant,
    })
  return {
    addEvent: query(addEvent),
    addEventReturningId: query((p: NewEvent) => addEvent(p).returning('id')),
    addToOutbox: query((p: { event: number; user: number; tenant: string; at: number }) =>
      db
        .insertInto('outbox')
        .values({ event: p.event, user: p.user, tenant: p.tenant, state: 'waiting', next_at: p.at }),
    ),
  }
}
