/** The facts of a unit, and what it writes. */
import { type Locks, noLocks } from './locks.ts'
import type { Plan } from './plan.ts'
import { toClaimable, toHeldTickets, toTicketWithQr, toUsers, unknownUser } from './rows.ts'
import { createChanges, type Standing, type TxSettings } from './sql-changes.ts'
import type { ClaimableRow, Queries } from './sql-queries.ts'
import type { Claimable, Committed, Tx, User } from './store.ts'

/** `touched` collects the versions that the transaction raised, for the waiters. */
export function createTx(
  queries: Queries,
  settings: TxSettings,
  touched: Map<number, Committed>,
  locks: Locks = noLocks,
): Tx {
  const { hashOf } = settings
  const standings = new Map<number, Standing>()
  const { apply, raise } = createChanges(queries, settings, touched, standingOf)

  function known<U extends User | undefined>(user: U): U {
    if (user) standings.set(user.id, { identity: user.identity, version: user.version, reason: user.reason })
    return user
  }

  function* standingOf(id: number): Plan<Standing> {
    if (!standings.has(id)) yield* userById(id)
    return standings.get(id)!
  }

  /** Reads until every user that was read of is locked: while a lock was waited for, its holder may have changed all. */
  function* settled<Row>(read: () => Plan<{ rows: Row[] }>, userOf: (row: Row) => number): Plan<Row[]> {
    for (;;) {
      const { rows } = yield* read()
      if (!(yield* locks.users(rows.map(userOf)))) return rows
    }
  }

  function* claimable(read: () => Plan<{ rows: ClaimableRow[] }>): Plan<Claimable | undefined> {
    const found = toClaimable(yield* settled(read, ({ id }) => id))
    known(found?.user)
    return found
  }

  function* userById(id: number): Plan<User> {
    yield* locks.users([id])
    const user = known(toUsers((yield* queries.userById({ id })).rows)[0])
    if (!user) throw new Error(`there is no user ${id}`)
    return user
  }

  return {
    *userOf(identity) {
      const rows = yield* settled(
        () => queries.userByIdentity(identity),
        ({ id }) => id,
      )
      return known(toUsers(rows)[0]) ?? unknownUser(identity)
    },
    userById,
    ticketByScene: (scene) => claimable(() => queries.ticketByScene({ scene })),
    ticketByCode: (appId, code) => claimable(() => queries.ticketByCode({ appId, code })),
    *heldBy(appId, openid) {
      yield* locks.openid(openid)
      return toHeldTickets(
        yield* settled(
          () => queries.heldBy({ appId, openid }),
          ({ user }) => user,
        ),
      )
    },
    *heldOf(user) {
      yield* locks.users([user])
      return toHeldTickets((yield* queries.heldOf({ user })).rows)[0]
    },
    *ownersOf(appId, openid) {
      yield* locks.openid(openid)
      const rows = yield* settled(
        () => queries.ownersOf({ appId, openid }),
        ({ id }) => id,
      )
      return toUsers(rows).map(known)
    },
    *erasedAt(appId, openid) {
      yield* locks.openid(openid)
      return (yield* queries.erasedAt({ hash: hashOf(appId, openid) })).rows[0]?.event_time
    },
    *wrongCodesSince(openid, since) {
      yield* locks.openid(openid)
      return (yield* queries.wrongCodesSince({ hash: hashOf(openid), since })).rows[0]!.n
    },
    *isAnyPending(appId, since) {
      return (yield* queries.anyPending({ appId, since })).rows.length > 0
    },
    apply,
    fingerprint: (key) => (/^\d{1,12}\|/.exec(key)?.[0] ?? '') + hashOf(key),
    *recall(key) {
      return (yield* queries.recall({ key })).rows[0]?.text
    },
    *remember(key, text, until) {
      yield* queries.remember({ key, text, until })
    },
    *addTicket(identity, { appId, wechatTicket, createdAt, expiresAt, ...same }, replacesOthers) {
      const user = (yield* queries.ensureUser(identity)).rows[0]!.id
      yield* locks.users([user])
      const times = { created_at: createdAt, expires_at: expiresAt }
      const values = { ...same, ...times, user, app_id: appId, wechat_ticket: wechatTicket }
      const row = (yield* queries.addTicket(values)).rows[0]!
      if (replacesOthers) {
        const { rows: held } = yield* queries.heldOf({ user })
        yield* queries.closeOthers({ user, ticket: row.id })
        // A scan was called off, which other pages of the user show.
        if (held.length > 0) yield* raise(user)
      }
      return toTicketWithQr(row)
    },
    *firstPendingAfter(user, ticket, now) {
      yield* locks.users([user])
      const { rows } = yield* queries.firstPendingAfter({ user, ticket, now })
      return rows[0] && toTicketWithQr(rows[0])
    },
    *spend(jti, until) {
      return (yield* queries.spend({ jti: hashOf(jti), until })).changes === 1
    },
  }
}
