/**
 * Reads the facts of a unit of work. A read locks the users of its rows, so that the rows do not change before the commit. Each
 * method returns a `Plan`, a generator of SQL statements. `LockedReads` is a class for the reason given at `SqlTx`.
 */
import type { Authorization } from '../authorization.ts'
import { identityKey } from '../identity.ts'
import type { Plan } from '../plan.ts'
import type { AccountOpenid, Claimable, Identity, RateWindow, Ticket, TicketWithQr, User } from '../store.ts'
import { toIdentityRows } from './bulk-queries.ts'
import type { Locks } from './locks.ts'
import type { Queries } from './queries.ts'
import {
  type AuthorizationRow,
  toAuthorization,
  toClaimable,
  toScannedTickets,
  toTicketWithQr,
  toUsers,
  unknownUser,
} from './rows.ts'
import type { ClaimableRow } from './ticket-queries.ts'
import type { KeyedHash, VersionedUser } from './tx-settings.ts'

export class LockedReads {
  protected readonly queries: Queries
  protected readonly hashOf: KeyedHash
  protected readonly locks: Locks
  protected readonly users = new Map<number, VersionedUser>()

  constructor(queries: Queries, hashOf: KeyedHash, locks: Locks) {
    this.queries = queries
    this.hashOf = hashOf
    this.locks = locks
  }

  /** Caches the version of a user that was read, so that `bumpVersion` need not read the user again. */
  protected cacheUser<U extends User | undefined>(user: U): U {
    if (user) this.users.set(user.id, { identity: user.identity, version: user.version, reason: user.reason })
    return user
  }

  protected *versionedUser(id: number): Plan<VersionedUser> {
    const cached = this.users.get(id)
    if (cached) return cached
    yield* this.locks.users([id])
    const [row] = (yield* this.queries.versionedUser({ id })).rows
    if (!row) throw noUser(id)
    const { tenant, account, user_id: userId, version, reason } = row
    const user = { identity: { tenant, account, userId }, version, reason }
    this.users.set(id, user)
    return user
  }

  /** Repeats the read until the users of all its rows are locked, because rows may change while it waits for a lock. */
  protected *readLocked<Row>(read: () => Plan<{ rows: Row[] }>, userOf: (row: Row) => number): Plan<Row[]> {
    for (;;) {
      const { rows } = yield* read()
      if (!(yield* this.locks.users(rows.map(userOf)))) return rows
    }
  }

  *#claimable(read: () => Plan<{ rows: ClaimableRow[] }>): Plan<Claimable | undefined> {
    const found = toClaimable(yield* this.readLocked(read, ({ id }) => id))
    this.cacheUser(found?.user)
    return found
  }

  *userById(id: number): Plan<User> {
    yield* this.locks.users([id])
    const user = this.cacheUser(toUsers((yield* this.queries.userById({ id })).rows)[0])
    if (!user) throw noUser(id)
    return user
  }

  *lockUsers(ids: number[]): Plan<void> {
    yield* this.locks.users(ids)
  }

  ticketById(id: number): Plan<Claimable | undefined> {
    return this.#claimable(() => this.queries.ticketById({ id }))
  }

  ticketByScene(scene: string): Plan<Claimable | undefined> {
    return this.#claimable(() => this.queries.ticketByScene({ scene }))
  }

  ticketByCode(appId: string, code: string): Plan<Claimable | undefined> {
    return this.#claimable(() => this.queries.ticketByCode({ appId, code }))
  }

  *scannedBy(appId: string, openid: string): Plan<Ticket[]> {
    yield* this.locks.openid(openid)
    return toScannedTickets(
      yield* this.readLocked(
        () => this.queries.scannedBy({ appId, openid }),
        ({ user }) => user,
      ),
    )
  }

  *scannedOf(user: number): Plan<Ticket[]> {
    yield* this.locks.users([user])
    return toScannedTickets((yield* this.queries.scannedOf({ user })).rows)
  }

  *unconfirmedUntil(until: number, limit: number): Plan<Ticket[]> {
    return toScannedTickets(
      yield* this.readLocked(
        () => this.queries.unconfirmedUntil({ until, limit }),
        ({ user }) => user,
      ),
    )
  }

  authorizationById(id: number): Plan<Authorization | undefined> {
    return this.#authorization(() => this.queries.authorizationById({ id }))
  }

  authorizationByState(appId: string, state: string): Plan<Authorization | undefined> {
    const hash = this.hashOf('oauth state', state)
    return this.#authorization(() => this.queries.authorizationByState({ appId, hash }))
  }

  authorizationByProof(appId: string, proof: string): Plan<Authorization | undefined> {
    const hash = this.hashOf('oauth proof', proof)
    return this.#authorization(() => this.queries.authorizationByProof({ appId, hash }))
  }

  *#authorization(read: () => Plan<{ rows: AuthorizationRow[] }>): Plan<Authorization | undefined> {
    const [row] = yield* this.readLocked(read, ({ user }) => user)
    return row && toAuthorization(row)
  }

  *authorizationsBy(appId: string, openid: string): Plan<Authorization[]> {
    yield* this.locks.openid(openid)
    const rows = yield* this.readLocked(
      () => this.queries.authorizationsBy({ appId, openid }),
      ({ user }) => user,
    )
    return rows.map(toAuthorization)
  }

  *ownersOf(appId: string, openid: string): Plan<User[]> {
    yield* this.locks.openid(openid)
    const rows = yield* this.readLocked(
      () => this.queries.ownersOf({ appId, openid }),
      ({ id }) => id,
    )
    return toUsers(rows).map((user) => this.cacheUser(user))
  }

  *usersOf(identities: Identity[]): Plan<User[]> {
    const rows = yield* this.readLocked(
      () => this.queries.usersByIdentities({ rows: toIdentityRows(identities) }),
      ({ id }) => id,
    )
    const found = new Map(toUsers(rows).map((user) => [identityKey(user.identity), this.cacheUser(user)]))
    return identities.map((identity) => found.get(identityKey(identity)) ?? unknownUser(identity))
  }

  *ownersOfAll(names: AccountOpenid[]): Plan<User[]> {
    yield* this.locks.openids(names.map(({ openid }) => openid))
    const owners: User[] = []
    for (const [appId, ofAccount] of Map.groupBy(names, (name) => name.appId)) {
      const openids = JSON.stringify(ofAccount.map(({ openid }) => openid))
      const rows = yield* this.readLocked(
        () => this.queries.ownersOfAll({ appId, openids }),
        ({ id }) => id,
      )
      owners.push(...toUsers(rows).map((user) => this.cacheUser(user)))
    }
    return owners
  }

  *unfollowedAt(appId: string, openid: string): Plan<number | undefined> {
    yield* this.locks.openid(openid)
    return (yield* this.queries.unfollowedAt({ hash: this.hashOf(appId, openid) })).rows[0]?.event_time
  }

  *wrongCodesSince(openid: string, since: number): Plan<number> {
    yield* this.locks.openid(openid)
    return (yield* this.queries.wrongCodesSince({ hash: this.hashOf(openid), since })).rows[0]!.n
  }

  *isAnyPending(appId: string, since: number): Plan<boolean> {
    return (yield* this.queries.anyPending({ appId, since })).rows.length > 0
  }

  *findDelivery(key: string): Plan<string | null | undefined> {
    return (yield* this.queries.findDelivery({ key })).rows[0]?.text
  }

  *firstPendingAfter(user: number, ticket: number, now: number): Plan<TicketWithQr | undefined> {
    yield* this.locks.users([user])
    const { rows } = yield* this.queries.firstPendingAfter({ user, ticket, now })
    return rows[0] && toTicketWithQr(rows[0])
  }

  *rateWindow(scope: string, now: number): Plan<RateWindow | undefined> {
    return (yield* this.queries.rateWindow({ scope, now })).rows[0]
  }
}

const noUser = (id: number) => new Error(`there is no user ${id}`)
