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

type Ensured = { id: number; tenant: string; account: string; user_id: string; version: number }

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

  /** `ensured` are the locked rows of the users, in any order. */
  *bind(ensured: Ensured[], bindings: NewBinding[], reason: BindReason, at: number): Plan<void> {
    const ids = yield* this.#bumpAll(ensured)
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
  }

  /** Adds 1 to the version of each user. Returns the ids by identity. */
  *#bumpAll(ensured: Ensured[]): Plan<Map<string, number>> {
    const users = ensured.map(({ id, tenant, account, user_id: userId, version }) => {
      const identity: Identity = { tenant, account, userId }
      return { id, identity, version }
    })
    const floors = yield* this.#floorsOf(users.filter(({ version }) => version === 0).map(({ identity }) => identity))
    for (const { id, identity, version: stored } of users) {
      const version = Math.max(stored, floors.get(identityKey(identity)) ?? 0) + 1
      this.#users.set(id, { identity, version, reason: null })
      this.#bumped.set(id, { identity, version })
    }
    const rows = users.map(({ id }) => ({ id, version: this.#users.get(id)!.version }))
    yield* this.#queries.bumpVersions({ rows: JSON.stringify(rows) })
    return new Map(users.map(({ id, identity }) => [identityKey(identity), id]))
  }

  /** The versions that users had before they were erased. */
  *#floorsOf(identities: Identity[]): Plan<Map<string, number>> {
    if (identities.length === 0) return new Map()
    const byHash = new Map(identities.map((identity) => [erasedHash(this.#settings, identity), identityKey(identity)]))
    const { rows } = yield* this.#queries.floorsOf({ hashes: JSON.stringify([...byHash.keys()]) })
    return new Map(rows.map(({ user_id: hash, version }) => [byHash.get(hash)!, version]))
  }
}
