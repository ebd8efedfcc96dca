/** The queries of users, in SQL for both engines. */
import { type Kysely, sql } from 'kysely'
import type { Notice, UnbindReason } from '../../wire.ts'
import { query } from './compiled-query.ts'
import type { Tables } from './tables.ts'

type Ids = { tenant: string; account: string; userId: string }

/**
 * A user with its binding, as one row for each scanned ticket. One query takes 10 us less than three. `rows.ts` sorts the few rows,
 * because an ORDER BY takes SQLite 35 us even for a single row.
 */
export const selectUsers = (db: Kysely<Tables>) =>
  db
    .selectFrom('users')
    .leftJoin('bindings', 'bindings.user', 'users.id')
    .leftJoin('tickets as scanned', (join) =>
      join.onRef('scanned.user', '=', 'users.id').on('scanned.state', '=', sql.lit('scanned')),
    )
    .select(['users.id', 'users.tenant', 'users.account', 'users.user_id', 'users.version', 'users.reason'])
    .select(['users.notice', 'users.notice_version', 'users.notice_at'])
    .select(['bindings.app_id', 'bindings.openid', 'bindings.unionid', 'bindings.subscribed', 'bindings.bound_at'])
    .select(['bindings.event_time', 'bindings.label', 'bindings.lang'])
    .select([
      'scanned.id as scanned_id',
      'scanned.openid as scanned_openid',
      'scanned.confirm',
      'scanned.event_time as scanned_event_time',
      'scanned.confirm_until',
    ])
    .select(['scanned.digits', 'scanned.tries_left', 'scanned.reason as scanned_reason'])

export type UserRow = Awaited<ReturnType<ReturnType<typeof selectUsers>['execute']>>[number]

export const createUserByIdentity = (db: Kysely<Tables>) =>
  query((p: Ids) =>
    selectUsers(db)
      .where('users.tenant', '=', p.tenant)
      .where('users.account', '=', p.account)
      .where('users.user_id', '=', p.userId),
  )

export function createUserQueries(db: Kysely<Tables>) {
  return {
    userByIdentity: createUserByIdentity(db),
    // A whole user has 25 columns: SQLite and `rows.ts` take 10 us for it, and 5 us for these two columns.
    userVersion: query((p: Ids) =>
      db
        .selectFrom('users')
        .leftJoin('tickets as scanned', (join) =>
          join.onRef('scanned.user', '=', 'users.id').on('scanned.state', '=', sql.lit('scanned')),
        )
        .select(['users.version', 'scanned.id as scanned_id'])
        .where('users.tenant', '=', p.tenant)
        .where('users.account', '=', p.account)
        .where('users.user_id', '=', p.userId),
    ),
    // Without the joins of a whole user: saving a unionid takes a sixth less time.
    versionedUser: query((p: { id: number }) =>
      db.selectFrom('users').select(['tenant', 'account', 'user_id', 'version', 'reason']).where('id', '=', p.id),
    ),
    userById: query((p: { id: number }) => selectUsers(db).where('users.id', '=', p.id)),
    ownersOf: query((p: { appId: string; openid: string }) =>
      selectUsers(db).where('bindings.openid', '=', p.openid).where('bindings.app_id', '=', p.appId),
    ),
    ensureUser: query((p: Ids) =>
      db
        .insertInto('users')
        .values({ tenant: p.tenant, account: p.account, user_id: p.userId, reason: null })
        // An update that changes nothing still locks the row and returns it. A user that returns is not erased.
        .onConflict((conflict) =>
          conflict.columns(['tenant', 'account', 'user_id']).doUpdateSet({ tenant: p.tenant, erased: 0 }),
        )
        .returning(['id', 'version', 'ticket_epoch']),
    ),
    bumpVersion: query((p: { id: number; version: number; reason: UnbindReason | null }) =>
      db.updateTable('users').set({ version: p.version, reason: p.reason }).where('id', '=', p.id),
    ),
    refuse: query((p: { user: number; notice: Notice; version: number; at: number }) =>
      db
        .updateTable('users')
        .set({ notice: p.notice, notice_version: p.version, notice_at: p.at })
        .where('id', '=', p.user),
    ),
    bumpTicketEpoch: query((p: { id: number }) =>
      db.updateTable('users').set({ ticket_epoch: sql<number>`ticket_epoch + 1` }).where('id', '=', p.id),
    ),
  }
}
