/**
 * Binds many users with a few statements, for the import. Row by row, a binding takes eight statements. On PostgreSQL, where each
 * statement waits for a round trip, 200,000 bindings would take minutes.
 */
import { identityKey } from '../identity.ts'
import type { Plan } from '../plan.ts'
import type { BindReason, Committed, Identity, NewBinding } from '../store.ts'
import { newEventUid } from './changes.ts'
import { erasedHash } from './erasure.ts'
import type { Queries } from './queries.ts'
import { toBindingRow } from './rows.ts'
import type { TxSettings, VersionedUser } from './tx-settings.ts'

/** This is a class for the reason given at `SqlTx`. */
export class BulkBinding {
  readonly #queries: Queries
  readonly #settings: TxSettings
  readonly #bumped: Map<number, Committed>
  readonly #users: Map<number, VersionedUser>

  /** `users` holds the versions that the unit of work has read. `bind` updates them. */
  constructor(
    queries: Queries,
    settings: TxSettings,
    bumped: Map<number, Committed>,
    users: Map<number, VersionedUser>,
  ) {
    this.#queries = queries
    this.#settings = settings
    this.#bumped = bumped
    this.#users = users
  }

  /** The users must be different and have no binding. Returns their ids and keeps the users locked. */
  *bind(bindings: NewBinding[], reason: BindReason, at: number): Plan<number[]> {
    const ids = yield* this.#bumpAll(bindings.map(({ identity }) => identity))
    const bound = bindings.map(({ identity, binding }) => {
      const id = ids.get(identityKey(identity))!
      const committed = this.#bumped.get(id)!
      return { id, tenant: identity.tenant, version: committed.version, row: toBindingRow(id, committed, binding) }
    })
    yield* this.#queries.addBindings({ rows: JSON.stringify(bound.map(({ row }) => row)) })
    const events = bound.map(({ id, tenant, version }) => ({
      user: id,
      version,
      type: 'bound',
      reason,
      at,
      uid: newEventUid(),
      tenant,
    }))
    const { rows: added } = yield* this.#queries.addEvents({ rows: JSON.stringify(events) })
    const waiting = added.flatMap(({ id: event, user }) => {
      const { tenant } = this.#users.get(user)!.identity
      return this.#settings.hasWebhook(tenant) ? [{ event, user, tenant, next_at: at }] : []
    })
    if (waiting.length > 0) yield* this.#queries.addAllToOutbox({ rows: JSON.stringify(waiting) })
    return [...ids.values()]
  }

  /** Adds the users that the store does not know, and 1 to the version of each. Returns the ids by identity. */
  *#bumpAll(identities: Identity[]): Plan<Map<string, number>> {
    const floors = yield* this.#floorsOf(identities)
    const given = identities.map((identity) => {
      const { tenant, account, userId: user_id } = identity
      return { tenant, account, user_id, version: (floors.get(identityKey(identity)) ?? 0) + 1 }
    })
    const { rows } = yield* this.#queries.bumpUsers({ rows: JSON.stringify(given) })
    const ids = new Map<string, number>()
    for (const { id, tenant, account, user_id: userId, version } of rows) {
      const identity = { tenant, account, userId }
      ids.set(identityKey(identity), id)
      this.#users.set(id, { identity, version, reason: null })
      this.#bumped.set(id, { identity, version })
    }
    return ids
  }

  /** The versions that users had before they were erased. */
  *#floorsOf(identities: Identity[]): Plan<Map<string, number>> {
    const byHash = new Map(identities.map((identity) => [erasedHash(this.#settings, identity), identityKey(identity)]))
    const { rows } = yield* this.#queries.floorsOf({ hashes: JSON.stringify([...byHash.keys()]) })
    return new Map(rows.map(({ user_id: hash, version }) => [byHash.get(hash)!, version]))
  }
}
