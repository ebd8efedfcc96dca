/** Every query of a unit of work, in SQL for both engines. */
import { type Insertable, type Kysely, sql } from 'kysely'
import type { Confirm, Notice, UnbindReason } from '../../wire.ts'
import type { BindReason, Language } from '../store.ts'
import { query } from './compiled-query.ts'
import type { Tables } from './tables.ts'

export type Queries = ReturnType<typeof createQueries>

type Ids = { tenant: string; account: string; userId: string }

// The columns that are set to null when a ticket is closed.
const noConfirmation = { openid: null, digits: null, confirm: null, event_time: null } as const

export function createQueries(db: Kysely<Tables>) {
  return {
    ...createSelectQueries(db),
    ...createExpiringRowQueries(db),
    ...createTicketQueries(db),
    ...createUserQueries(db),
  }
}

/**
 * A user with its binding, as one row for each scanned ticket. One query takes 10 us less than three. `rows.ts` sorts the few rows,
 * because an ORDER BY takes SQLite 35 us even for a single row.
 */
const selectUsers = (db: Kysely<Tables>) =>
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

/** A ticket and its user in one query. */
const selectClaimables = (db: Kysely<Tables>) =>
  selectUsers(db)
    .innerJoin('tickets', 'tickets.user', 'users.id')
    .select(['tickets.id as ticket_id', 'tickets.app_id as ticket_app_id', 'tickets.label as ticket_label'])
    .select([
      'tickets.lang as ticket_lang',
      'tickets.created_at',
      'tickets.expires_at',
      'tickets.state',
      'tickets.used_by',
    ])

export type ClaimableRow = Awaited<ReturnType<ReturnType<typeof selectClaimables>['execute']>>[number]

export const createUserByIdentity = (db: Kysely<Tables>) =>
  query((p: Ids) =>
    selectUsers(db)
      .where('users.tenant', '=', p.tenant)
      .where('users.account', '=', p.account)
      .where('users.user_id', '=', p.userId),
  )

function createSelectQueries(db: Kysely<Tables>) {
  const tickets = db.selectFrom('tickets').selectAll()
  const scanned = tickets.where('state', '=', sql.lit('scanned'))
  return {
    userByIdentity: createUserByIdentity(db),
    userById: query((p: { id: number }) => selectUsers(db).where('users.id', '=', p.id)),
    ownersOf: query((p: { appId: string; openid: string }) =>
      selectUsers(db).where('bindings.openid', '=', p.openid).where('bindings.app_id', '=', p.appId),
    ),
    ticketById: query((p: { id: number }) => selectClaimables(db).where('tickets.id', '=', p.id)),
    ticketByScene: query((p: { scene: string }) => selectClaimables(db).where('tickets.scene', '=', p.scene)),
    ticketByCode: query((p: { appId: string; code: string }) =>
      selectClaimables(db).where('tickets.code', '=', p.code).where('tickets.app_id', '=', p.appId),
    ),
    scannedBy: query((p: { appId: string; openid: string }) =>
      // The planner uses the partial index only with this literal condition, which it cannot derive from a parameter.
      scanned.where('openid', 'is not', null).where('openid', '=', p.openid).where('app_id', '=', p.appId),
    ),
    scannedOf: query((p: { user: number }) => scanned.where('user', '=', p.user)),
    unconfirmedUntil: query((p: { until: number; limit: number }) =>
      scanned.where('confirm_until', '<=', p.until).limit(p.limit),
    ),
    firstPendingAfter: query((p: { user: number; ticket: number; now: number }) =>
      tickets
        .where('user', '=', p.user)
        .where('state', '=', sql.lit('pending'))
        .where('expires_at', '>', p.now)
        .where('id', '>', p.ticket)
        .orderBy('id')
        .limit(1),
    ),
    anyPending: query((p: { appId: string; since: number }) =>
      db
        .selectFrom('tickets')
        .select('id')
        .where('expires_at', '>', p.since)
        .where('app_id', '=', p.appId)
        .where('state', '=', sql.lit('pending'))
        .limit(1),
    ),
  }
}

/** The queries of rows with a limited lifetime: hashes, and the replies to deliveries. */
function createExpiringRowQueries(db: Kysely<Tables>) {
  return {
    unfollowedAt: query((p: { hash: string }) =>
      db.selectFrom('unfollow_tombstones').select('event_time').where('openid_hash', '=', p.hash),
    ),
    recordUnfollow: query((p: { hash: string; eventTime: number; until: number }) =>
      db
        .insertInto('unfollow_tombstones')
        .values({ openid_hash: p.hash, event_time: p.eventTime, until: p.until })
        // An older unfollow that arrives late must not replace a newer one.
        .onConflict((conflict) =>
          conflict
            .column('openid_hash')
            .doUpdateSet({ event_time: p.eventTime, until: p.until })
            .where('unfollow_tombstones.event_time', '<', p.eventTime),
        ),
    ),
    wrongCodesSince: query((p: { hash: string; since: number }) =>
      db
        .selectFrom('wrong_codes')
        .where('openid_hash', '=', p.hash)
        .where('at', '>', p.since)
        .select(sql<number>`count(*)`.as('n')),
    ),
    addWrongCode: query((p: { hash: string; at: number }) =>
      db.insertInto('wrong_codes').values({ openid_hash: p.hash, at: p.at }),
    ),
    findDelivery: query((p: { key: string }) => db.selectFrom('deliveries').select('text').where('key', '=', p.key)),
    recordDelivery: query((p: { key: string; text: string | null; until: number }) =>
      db.insertInto('deliveries').values({ key: p.key, text: p.text, until: p.until }),
    ),
    rateWindow: query((p: { scope: string; now: number }) =>
      db.selectFrom('rate_windows').selectAll().where('scope', '=', p.scope).where('until', '>', p.now),
    ),
    // One statement checks the limit and counts, so that simultaneous attempts on several instances cannot exceed the limit.
    countAttempt: query((p: { scope: string; limit: number; until: number; now: number }) =>
      db
        .insertInto('rate_windows')
        .values({ scope: p.scope, until: p.until, count: 1 })
        .onConflict((conflict) =>
          conflict
            .column('scope')
            .doUpdateSet({
              count: sql`case when rate_windows.until <= ${p.now} then 1 else rate_windows.count + 1 end`,
              until: sql`case when rate_windows.until <= ${p.now} then excluded.until else rate_windows.until end`,
            })
            .where(sql<boolean>`rate_windows.until <= ${p.now} or rate_windows.count < ${p.limit}`),
        ),
    ),
    consumeJti: query((p: { jti: string; until: number }) =>
      db
        .insertInto('jtis')
        .values({ jti: p.jti, until: p.until })
        .onConflict((conflict) => conflict.doNothing()),
    ),
  }
}

type TicketValues = Pick<
  Tables['tickets'],
  'user' | 'app_id' | 'scene' | 'code' | 'wechat_ticket' | 'url' | 'label' | 'lang' | 'created_at' | 'expires_at'
>

export type ConfirmationValues = {
  confirm: Confirm
  openid: string
  event_time: number
  confirm_until: number
  digits: string | null
  tries_left: number
  reason: BindReason
}

function createTicketQueries(db: Kysely<Tables>) {
  const open = ['pending', 'scanned'].map((state) => sql.lit(state as 'pending' | 'scanned'))
  const update = db.updateTable('tickets')
  return {
    addTicket: query((p: TicketValues) =>
      db
        .insertInto('tickets')
        .values({
          user: p.user,
          app_id: p.app_id,
          scene: p.scene,
          code: p.code,
          wechat_ticket: p.wechat_ticket,
          url: p.url,
          label: p.label,
          lang: p.lang,
          created_at: p.created_at,
          expires_at: p.expires_at,
          state: 'pending',
        })
        .returningAll(),
    ),
    scan: query((p: ConfirmationValues & { ticket: number }) =>
      update
        .set({
          state: 'scanned',
          confirm: p.confirm,
          openid: p.openid,
          event_time: p.event_time,
          confirm_until: p.confirm_until,
          digits: p.digits,
          tries_left: p.tries_left,
          reason: p.reason,
        })
        .where('id', '=', p.ticket),
    ),
    relabel: query((p: { ticket: number; label: string | null; lang: Language }) =>
      update.set({ label: p.label, lang: p.lang }).where('id', '=', p.ticket).where('state', '=', sql.lit('pending')),
    ),
    setTriesLeft: query((p: { ticket: number; triesLeft: number }) =>
      update.set({ tries_left: p.triesLeft }).where('id', '=', p.ticket),
    ),
    close: query((p: { ticket: number; as: 'used' | 'replaced' | 'dead'; delivery: string | null }) =>
      update
        .set({ state: p.as, used_by: p.delivery, ...noConfirmation })
        .where('id', '=', p.ticket)
        .where('state', 'in', open),
    ),
    closeTickets: query((p: { user: number; except: number }) =>
      update
        .set({ state: 'replaced', ...noConfirmation })
        .where('user', '=', p.user)
        .where('state', 'in', open)
        .where('id', '!=', p.except),
    ),
  }
}

function createUserQueries(db: Kysely<Tables>) {
  type NewEvent = Omit<Insertable<Tables['events']>, 'id'>
  const addEvent = (p: NewEvent) =>
    db
      .insertInto('events')
      .values({ user: p.user, version: p.version, type: p.type, reason: p.reason, at: p.at, uid: p.uid })
  return {
    ensureUser: query((p: Ids) =>
      db
        .insertInto('users')
        .values({ tenant: p.tenant, account: p.account, user_id: p.userId, reason: null })
        // An update that changes nothing still locks the row and returns it.
        .onConflict((conflict) => conflict.columns(['tenant', 'account', 'user_id']).doUpdateSet({ tenant: p.tenant }))
        .returning('id'),
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
    bind: query((p: Tables['bindings']) => {
      const row = {
        user: p.user,
        tenant: p.tenant,
        app_id: p.app_id,
        openid: p.openid,
        unionid: p.unionid,
        unionid_due: p.unionid_due,
        subscribed: p.subscribed,
        bound_at: p.bound_at,
        event_time: p.event_time,
        label: p.label,
        lang: p.lang,
        version: p.version,
      }
      return db
        .insertInto('bindings')
        .values(row)
        .onConflict((conflict) => conflict.column('user').doUpdateSet(row))
    }),
    unbind: query((p: { user: number }) => db.deleteFrom('bindings').where('user', '=', p.user)),
    setSubscribed: query((p: { user: number; subscribed: number; eventTime: number }) =>
      db.updateTable('bindings').set({ subscribed: p.subscribed, event_time: p.eventTime }).where('user', '=', p.user),
    ),
    addEvent: query(addEvent),
    addEventReturningId: query((p: NewEvent) => addEvent(p).returning('id')),
    addToOutbox: query((p: { event: number; user: number; tenant: string; at: number }) =>
      db
        .insertInto('outbox')
        .values({ event: p.event, user: p.user, tenant: p.tenant, state: 'waiting', next_at: p.at }),
    ),
  }
}
