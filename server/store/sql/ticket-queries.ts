/** The queries of tickets, in SQL for both engines. */
import { type Kysely, sql } from 'kysely'
import type { Confirm } from '../../wire.ts'
import type { BindReason, Language } from '../store.ts'
import { query } from './compiled-query.ts'
import type { Tables } from './tables.ts'
import { selectUsers } from './user-queries.ts'

// The columns that are set to null when a ticket is closed.
const noConfirmation = { openid: null, digits: null, confirm: null, event_time: null } as const

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

export function createTicketQueries(db: Kysely<Tables>) {
  return { ...createTicketReads(db), ...createTicketWrites(db) }
}

function createTicketReads(db: Kysely<Tables>) {
  const tickets = db.selectFrom('tickets').selectAll()
  const scanned = tickets.where('state', '=', sql.lit('scanned'))
  return {
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

function createTicketWrites(db: Kysely<Tables>) {
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
