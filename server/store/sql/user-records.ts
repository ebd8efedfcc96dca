/** Reads all stored data of one user, without secrets, scenes and codes. */
import type { Plan } from '../plan.ts'
import type { Identity } from '../store.ts'
import type { UserRecord } from '../user-record.ts'
import { query } from './compiled-query.ts'
import { toUid } from './event-rows.ts'
import { toUsers } from './rows.ts'
import type { Db } from './tx-settings.ts'
import { createUserByIdentity } from './user-queries.ts'

export function createUserRecords(db: Db): (identity: Identity) => Plan<UserRecord | undefined> {
  const userByIdentity = createUserByIdentity(db)
  const historyOf = query((p: { user: number }) =>
    db
      .selectFrom('events')
      .select(['id', 'uid', 'type', 'reason', 'version', 'at'])
      .where('user', '=', p.user)
      .orderBy('id'),
  )
  const ticketsOf = query((p: { user: number }) =>
    db
      .selectFrom('tickets')
      .select(['app_id', 'state', 'label', 'lang', 'created_at', 'expires_at', 'openid'])
      .where('user', '=', p.user)
      .orderBy('created_at')
      .orderBy('id'),
  )
  const authorizationsOf = query((p: { user: number }) =>
    db
      .selectFrom('authorizations')
      .select(['app_id', 'state', 'return_url', 'created_at', 'until', 'openid'])
      .where('user', '=', p.user)
      .orderBy('created_at')
      .orderBy('id'),
  )
  const unsentOf = query((p: { user: number }) =>
    db
      .selectFrom('outbox')
      .innerJoin('events', 'events.id', 'outbox.event')
      .select(['events.id', 'events.uid', 'outbox.state', 'outbox.next_at', 'outbox.attempts'])
      .where('outbox.user', '=', p.user)
      .orderBy('outbox.event'),
  )
  const noticesOf = query((p: { user: number }) =>
    db
      .selectFrom('notices')
      .innerJoin('events', 'events.id', 'notices.event')
      .select(['events.id', 'events.uid', 'notices.receiver', 'notices.state', 'notices.next_at', 'notices.attempts'])
      .where('events.user', '=', p.user)
      .orderBy('notices.id'),
  )
  const actionsOf = query((p: { user: number }) =>
    db
      .selectFrom('console_actions')
      .select(['id', 'at', 'operator', 'action', 'version'])
      .where('user', '=', p.user)
      .orderBy('id'),
  )

  return function* (identity) {
    const [user] = toUsers((yield* userByIdentity(identity)).rows)
    if (!user) return undefined
    const { rows: history } = yield* historyOf({ user: user.id })
    const { rows: tickets } = yield* ticketsOf({ user: user.id })
    const { rows: authorizations } = yield* authorizationsOf({ user: user.id })
    const unsent = (yield* unsentOf({ user: user.id })).rows.map((row) => ({ ...row, receiver: null }))
    const notices = [...(yield* noticesOf({ user: user.id })).rows, ...unsent]
    const { rows: actions } = yield* actionsOf({ user: user.id })
    return {
      user,
      actions,
      history: history.map(({ id, uid, ...event }) => ({ uid: toUid({ id, uid }), ...event })),
      tickets: tickets.map((ticket) => ({
        appId: ticket.app_id,
        state: ticket.state,
        label: ticket.label,
        lang: ticket.lang,
        createdAt: ticket.created_at,
        expiresAt: ticket.expires_at,
        scannedBy: ticket.openid,
      })),
      authorizations: authorizations.map((authorization) => ({
        appId: authorization.app_id,
        state: authorization.state,
        returnUrl: authorization.return_url,
        createdAt: authorization.created_at,
        until: authorization.until,
        openid: authorization.openid,
      })),
      notices: notices.map(({ id, uid, receiver, state, next_at: nextAt, attempts }) => ({
        uid: toUid({ id, uid }),
        receiver,
        state,
        nextAt,
        attempts,
      })),
    }
  }
}
