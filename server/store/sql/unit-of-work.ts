/** The object `tx` that a unit of work gets. Its methods read facts and apply changes. Each method returns a `Plan`, a generator of SQL statements. */
import type { Authorization, NewAuthorization } from '../authorization.ts'
import { identityKey } from '../identity.ts'
import type { Plan } from '../plan.ts'
import type {
  AccountOpenid,
  BindReason,
  Change,
  Claimable,
  Committed,
  Identity,
  NewBinding,
  NewTicket,
  RateWindow,
  Ticket,
  TicketEpoch,
  TicketWithQr,
  Tx,
  User,
} from '../store.ts'
import { BulkBinding } from './bulk-binding.ts'
import { toIdentityRows } from './bulk-queries.ts'
import { Changes } from './changes.ts'
import { type Locks, noLocks } from './locks.ts'
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
import type { KeyedHash, TxSettings, VersionedUser } from './tx-settings.ts'

/**
 * This is a class, because its methods are generators. If a closure created the generator functions, V8 would give each of them a
 * hidden class of its own. Such a class keeps the function, and all objects that the function refers to, until a full garbage
 * collection, which took 50 ms under load.
 */
export class SqlTx implements Tx {
  readonly #queries: Queries
  readonly #hashOf: KeyedHash
  readonly #locks: Locks
  readonly #changes: Changes
  readonly #bulk: BulkBinding
  readonly #users = new Map<number, VersionedUser>()

  /** `bumped` collects the new version of each user, for the commit listeners. */
  constructor(queries: Queries, settings: TxSettings, bumped: Map<number, Committed>, locks: Locks = noLocks) {
    this.#queries = queries
    this.#hashOf = settings.hashOf
    this.#locks = locks
    this.#changes = new Changes(queries, settings, bumped, (id) => this.#versionedUser(id))
    this.#bulk = new BulkBinding(queries, settings, bumped, this.#users)
  }

  /** Caches the version of a user that was read, so that `bumpVersion` need not read the user again. */
  #cacheUser<U extends User | undefined>(user: U): U {
    if (user) this.#users.set(user.id, { identity: user.identity, version: user.version, reason: user.reason })
    return user
  }

  *#versionedUser(id: number): Plan<VersionedUser> {
    if (!this.#users.has(id)) yield* this.userById(id)
    return this.#users.get(id)!
  }

  /** Repeats the read until the users of all its rows are locked, because rows may change while it waits for a lock. */
  *#readLocked<Row>(read: () => Plan<{ rows: Row[] }>, userOf: (row: Row) => number): Plan<Row[]> {
    for (;;) {
      const { rows } = yield* read()
      if (!(yield* this.#locks.users(rows.map(userOf)))) return rows
    }
  }

  *#claimable(read: () => Plan<{ rows: ClaimableRow[] }>): Plan<Claimable | undefined> {
    const found = toClaimable(yield* this.#readLocked(read, ({ id }) => id))
    this.#cacheUser(found?.user)
    return found
  }

  *userById(id: number): Plan<User> {
    yield* this.#locks.users([id])
    const user = this.#cacheUser(toUsers((yield* this.#queries.userById({ id })).rows)[0])
    if (!user) throw new Error(`there is no user ${id}`)
    return user
  }

  *userOf(identity: Identity): Plan<User> {
    const rows = yield* this.#readLocked(
      () => this.#queries.userByIdentity(identity),
      ({ id }) => id,
    )
    const found = this.#cacheUser(toUsers(rows)[0])
    return found ?? unknownUser(identity, yield* this.#changes.erasure.floorOf(identity))
  }

  *lockUsers(ids: number[]): Plan<void> {
    yield* this.#locks.users(ids)
  }

  *ensureUser(identity: Identity): Plan<number> {
    return (yield* this.ticketEpoch(identity)).user
  }

  *ticketEpoch(identity: Identity): Plan<TicketEpoch> {
    const { id: user, version, ticket_epoch: epoch } = (yield* this.#queries.ensureUser(identity)).rows[0]!
    yield* this.#locks.users([user])
    // This is a statement of its own, because an erasure for which the insert has waited is visible only to the next one.
    if (version === 0) yield* this.#changes.erasure.raiseToFloor(user, identity)
    return { user, epoch }
  }

  ticketById(id: number): Plan<Claimable | undefined> {
    return this.#claimable(() => this.#queries.ticketById({ id }))
  }

  ticketByScene(scene: string): Plan<Claimable | undefined> {
    return this.#claimable(() => this.#queries.ticketByScene({ scene }))
  }

  ticketByCode(appId: string, code: string): Plan<Claimable | undefined> {
    return this.#claimable(() => this.#queries.ticketByCode({ appId, code }))
  }

  *scannedBy(appId: string, openid: string): Plan<Ticket[]> {
    yield* this.#locks.openid(openid)
    return toScannedTickets(
      yield* this.#readLocked(
        () => this.#queries.scannedBy({ appId, openid }),
        ({ user }) => user,
      ),
    )
  }

  *scannedOf(user: number): Plan<Ticket[]> {
    yield* this.#locks.users([user])
    return toScannedTickets((yield* this.#queries.scannedOf({ user })).rows)
  }

  *unconfirmedUntil(until: number, limit: number): Plan<Ticket[]> {
    return toScannedTickets(
      yield* this.#readLocked(
        () => this.#queries.unconfirmedUntil({ until, limit }),
        ({ user }) => user,
      ),
    )
  }

  *addAuthorization(made: NewAuthorization, state: string): Plan<void> {
    const { user, appId, returnUrl, createdAt, until } = made
    const times = { created_at: createdAt, until }
    const state_hash = this.#hashOf('oauth state', state)
    yield* this.#queries.addAuthorization({ user, app_id: appId, return_url: returnUrl, state_hash, ...times })
  }

  authorizationById(id: number): Plan<Authorization | undefined> {
    return this.#authorization(() => this.#queries.authorizationById({ id }))
  }

  authorizationByState(appId: string, state: string): Plan<Authorization | undefined> {
    const hash = this.#hashOf('oauth state', state)
    return this.#authorization(() => this.#queries.authorizationByState({ appId, hash }))
  }

  authorizationByProof(appId: string, proof: string): Plan<Authorization | undefined> {
    const hash = this.#hashOf('oauth proof', proof)
    return this.#authorization(() => this.#queries.authorizationByProof({ appId, hash }))
  }

  *#authorization(read: () => Plan<{ rows: AuthorizationRow[] }>): Plan<Authorization | undefined> {
    const [row] = yield* this.#readLocked(read, ({ user }) => user)
    return row && toAuthorization(row)
  }

  *authorizationsBy(appId: string, openid: string): Plan<Authorization[]> {
    yield* this.#locks.openid(openid)
    const rows = yield* this.#readLocked(
      () => this.#queries.authorizationsBy({ appId, openid }),
      ({ user }) => user,
    )
    return rows.map(toAuthorization)
  }

  *ownersOf(appId: string, openid: string): Plan<User[]> {
    yield* this.#locks.openid(openid)
    const rows = yield* this.#readLocked(
      () => this.#queries.ownersOf({ appId, openid }),
      ({ id }) => id,
    )
    return toUsers(rows).map((user) => this.#cacheUser(user))
  }

  *usersOf(identities: Identity[]): Plan<User[]> {
    const rows = yield* this.#readLocked(
      () => this.#queries.usersByIdentities({ rows: toIdentityRows(identities) }),
      ({ id }) => id,
    )
    const found = new Map(toUsers(rows).map((user) => [identityKey(user.identity), this.#cacheUser(user)]))
    return identities.map((identity) => found.get(identityKey(identity)) ?? unknownUser(identity))
  }

  *ownersOfAll(names: AccountOpenid[]): Plan<User[]> {
    yield* this.#locks.openids(names.map(({ openid }) => openid))
    const owners: User[] = []
    for (const [appId, ofAccount] of Map.groupBy(names, (name) => name.appId)) {
      const openids = JSON.stringify(ofAccount.map(({ openid }) => openid))
      const rows = yield* this.#readLocked(
        () => this.#queries.ownersOfAll({ appId, openids }),
        ({ id }) => id,
      )
      owners.push(...toUsers(rows).map((user) => this.#cacheUser(user)))
    }
    return owners
  }

  *bindAll(bindings: NewBinding[], reason: BindReason, at: number): Plan<void> {
    if (bindings.length === 0) return
    yield* this.#locks.users(yield* this.#bulk.bind(bindings, reason, at))
  }

  *unfollowedAt(appId: string, openid: string): Plan<number | undefined> {
    yield* this.#locks.openid(openid)
    return (yield* this.#queries.unfollowedAt({ hash: this.#hashOf(appId, openid) })).rows[0]?.event_time
  }

  *wrongCodesSince(openid: string, since: number): Plan<number> {
    yield* this.#locks.openid(openid)
    return (yield* this.#queries.wrongCodesSince({ hash: this.#hashOf(openid), since })).rows[0]!.n
  }

  *isAnyPending(appId: string, since: number): Plan<boolean> {
    return (yield* this.#queries.anyPending({ appId, since })).rows.length > 0
  }

  apply(change: Change): Plan<void> {
    return this.#changes.apply(change)
  }

  fingerprint(key: string): string {
    return (/^\d{1,12}\|/.exec(key)?.[0] ?? '') + this.#hashOf(key)
  }

  *findDelivery(key: string): Plan<string | null | undefined> {
    return (yield* this.#queries.findDelivery({ key })).rows[0]?.text
  }

  *recordDelivery(key: string, text: string | null, until: number, user: number | null = null): Plan<void> {
    yield* this.#queries.recordDelivery({ key, text, until, user })
  }

  *addTicket(identity: Identity, ticket: NewTicket, replacesOthers: boolean): Plan<TicketWithQr> {
    const { appId, wechatTicket, createdAt, expiresAt, ...same } = ticket
    const user = yield* this.ensureUser(identity)
    const times = { created_at: createdAt, expires_at: expiresAt }
    const values = { ...same, ...times, user, app_id: appId, wechat_ticket: wechatTicket }
    const row = (yield* this.#queries.addTicket(values)).rows[0]!
    if (replacesOthers) {
      const { rows: scanned } = yield* this.#queries.scannedOf({ user })
      // Other open pages of the user may still show the cancelled scan. A new version updates them.
      const bumpsVersion = scanned.length > 0
      yield* this.#changes.closeTickets({ user, ticket: row.id, bumpsVersion })
    }
    return toTicketWithQr(row)
  }

  *firstPendingAfter(user: number, ticket: number, now: number): Plan<TicketWithQr | undefined> {
    yield* this.#locks.users([user])
    const { rows } = yield* this.#queries.firstPendingAfter({ user, ticket, now })
    return rows[0] && toTicketWithQr(rows[0])
  }

  *rateWindow(scope: string, now: number): Plan<RateWindow | undefined> {
    return (yield* this.#queries.rateWindow({ scope, now })).rows[0]
  }

  *countAttempt(scope: string, limit: number, until: number, now: number): Plan<boolean> {
    return (yield* this.#queries.countAttempt({ scope, limit, until, now })).changes === 1
  }

  *consumeJti(jti: string, until: number): Plan<boolean> {
    return (yield* this.#queries.consumeJti({ jti: this.#hashOf(jti), until })).changes === 1
  }

  *purgeErased(before: number, limit: number): Plan<boolean> {
    const { rows } = yield* this.#queries.usersToPurge({ before, limit })
    yield* this.#locks.users(rows.map(({ user }) => user))
    for (const { user } of rows) yield* this.#changes.erasure.purge(user, yield* this.#versionedUser(user), before)
    return rows.length === limit
  }
}
