/** The object `tx` that a unit of work gets. It reads facts (`LockedReads`) and applies changes. Each method returns a `Plan`, a generator of SQL statements. */
import type { NewAuthorization } from '../authorization.ts'
import type { Plan } from '../plan.ts'
import type {
  BindReason,
  Change,
  Committed,
  Identity,
  NewBinding,
  NewTicket,
  TicketEpoch,
  TicketWithQr,
  Tx,
  User,
} from '../store.ts'
import { BulkBinding } from './bulk-binding.ts'
import { Changes } from './changes.ts'
import { LockedReads } from './locked-reads.ts'
import { type Locks, noLocks } from './locks.ts'
import type { Queries } from './queries.ts'
import { toTicketWithQr, toUsers, unknownUser } from './rows.ts'
import type { TxSettings } from './tx-settings.ts'

/**
 * This is a class, because its methods are generators. If a closure created the generator functions, V8 would give each of them a
 * hidden class of its own. Such a class keeps the function, and all objects that the function refers to, until a full garbage
 * collection, which took 50 ms under load.
 */
export class SqlTx extends LockedReads implements Tx {
  readonly #changes: Changes
  readonly #bulk: BulkBinding

  /** `bumped` collects the new version of each user, for the commit listeners. */
  constructor(queries: Queries, settings: TxSettings, bumped: Map<number, Committed>, locks: Locks = noLocks) {
    super(queries, settings.hashOf, locks)
    this.#changes = new Changes(queries, settings, bumped, (id) => this.versionedUser(id))
    this.#bulk = new BulkBinding(queries, settings, bumped, this.users)
  }

  *userOf(identity: Identity): Plan<User> {
    const rows = yield* this.readLocked(
      () => this.queries.userByIdentity(identity),
      ({ id }) => id,
    )
    const found = this.cacheUser(toUsers(rows)[0])
    return found ?? unknownUser(identity, yield* this.#changes.erasure.floorOf(identity))
  }

  *ensureUser(identity: Identity): Plan<number> {
    return (yield* this.ticketEpoch(identity)).user
  }

  *ticketEpoch(identity: Identity): Plan<TicketEpoch> {
    const { id: user, version, ticket_epoch: epoch } = (yield* this.queries.ensureUser(identity)).rows[0]!
    yield* this.locks.users([user])
    // A separate statement, because the insert may have waited for an erasure. Only a later statement sees what the erasure has
    // written.
    if (version === 0) yield* this.#changes.erasure.raiseToFloor(user, identity)
    return { user, epoch }
  }

  *addAuthorization(made: NewAuthorization, state: string): Plan<void> {
    const { user, appId, returnUrl, createdAt, until } = made
    const times = { created_at: createdAt, until }
    const state_hash = this.hashOf('oauth state', state)
    yield* this.queries.addAuthorization({ user, app_id: appId, return_url: returnUrl, state_hash, ...times })
  }

  *bindAll(bindings: NewBinding[], reason: BindReason, at: number): Plan<void> {
    if (bindings.length === 0) return
    yield* this.locks.users(yield* this.#bulk.bind(bindings, reason, at))
  }

  apply(change: Change): Plan<void> {
    return this.#changes.apply(change)
  }

  fingerprint(key: string): string {
    return (/^\d{1,12}\|/.exec(key)?.[0] ?? '') + this.hashOf(key)
  }

  *recordDelivery(key: string, text: string | null, until: number, user: number | null = null): Plan<void> {
    yield* this.queries.recordDelivery({ key, text, until, user })
  }

  *addTicket(identity: Identity, ticket: NewTicket, replacesOthers: boolean): Plan<TicketWithQr> {
    const { appId, wechatTicket, createdAt, expiresAt, ...same } = ticket
    const user = yield* this.ensureUser(identity)
    const times = { created_at: createdAt, expires_at: expiresAt }
    const values = { ...same, ...times, user, app_id: appId, wechat_ticket: wechatTicket }
    const row = (yield* this.queries.addTicket(values)).rows[0]!
    if (replacesOthers) {
      const { rows: scanned } = yield* this.queries.scannedOf({ user })
      // Other open pages of the user may still show the cancelled scan. A new version updates these pages.
      const bumpsVersion = scanned.length > 0
      yield* this.#changes.closeTickets({ user, ticket: row.id, bumpsVersion })
    }
    return toTicketWithQr(row)
  }

  *countAttempt(scope: string, limit: number, until: number, now: number): Plan<boolean> {
    return (yield* this.queries.countAttempt({ scope, limit, until, now })).changes === 1
  }

  *consumeJti(jti: string, until: number): Plan<boolean> {
    return (yield* this.queries.consumeJti({ jti: this.hashOf(jti), until })).changes === 1
  }

  *purgeErased(before: number, limit: number): Plan<boolean> {
    const { rows } = yield* this.queries.usersToPurge({ before, limit })
    const users = [...new Set(rows.map(({ user }) => user))].sort((a, b) => a - b)
    yield* this.locks.users(users)
    for (const user of users) yield* this.#changes.erasure.purge(user, yield* this.versionedUser(user), before)
    return rows.length === limit
  }
}
