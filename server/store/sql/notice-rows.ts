/** Reads notices with their events. WeChat's ids are those of the present binding, so an id that has been erased is not read. */
import { sql } from 'kysely'
import type { Notice } from '../outbox.ts'
import { toBindingEvent } from './event-rows.ts'
import type { Db } from './tx-settings.ts'

const payloadColumns = [
  'events.id as event',
  'events.uid',
  'events.type',
  'events.reason',
  'events.version',
  'events.at',
  'users.tenant',
  'users.account',
  'users.user_id',
  'bindings.app_id',
  'bindings.openid',
  'bindings.unionid',
] as const

/** Joins a binding only if this event or an earlier event created it, so that an event never gets the openid of a later binding. */
export const selectNotices = (db: Db) =>
  db
    .selectFrom('notices')
    .innerJoin('events', 'events.id', 'notices.event')
    .innerJoin('users', 'users.id', 'events.user')
    .leftJoin('bindings', (join) =>
      join.onRef('bindings.user', '=', 'events.user').onRef('bindings.version', '<=', 'events.version'),
    )
    .select([
      'notices.id',
      'notices.receiver',
      'notices.next_at',
      'notices.attempts',
      'notices.status',
      'notices.error',
    ])
    .select(payloadColumns)

/**
 * Selects the events that are still in the outbox, in the form of notices. Such a notice has the id of its event and no receiver.
 */
export const selectUndispatched = (db: Db) =>
  db
    .selectFrom('outbox')
    .innerJoin('events', 'events.id', 'outbox.event')
    .innerJoin('users', 'users.id', 'events.user')
    .leftJoin('bindings', (join) =>
      join.onRef('bindings.user', '=', 'events.user').onRef('bindings.version', '<=', 'events.version'),
    )
    .select(['outbox.next_at', 'outbox.attempts', 'outbox.event as id'])
    .select([sql.lit(null).as('receiver'), sql.lit(null).as('status'), sql.lit(null).as('error')])
    .select(payloadColumns)

type Row = Awaited<ReturnType<ReturnType<typeof selectNotices | typeof selectUndispatched>['execute']>>[number]

export const toNotice = (row: Row): Notice => ({
  ...toBindingEvent(row.event, row),
  id: row.id,
  receiver: row.receiver,
  attempts: row.attempts,
  nextAt: row.next_at,
  failure: row.status === null && row.error === null ? null : { status: row.status, error: row.error },
})
