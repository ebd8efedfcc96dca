/**
 * Erases a user. Two steps, each in one transaction:
 *
 * 1. `erase` deletes the tickets and the history, empties the recorded replies that name the user, and marks the user. The same
 *    transaction has already removed the binding. Two kinds of rows remain and are marked: the notices that wait for a receiver,
 *    and the event of the erasure itself.
 * 2. `purge` deletes a marked event when none of its notices waits any more: the receiver has accepted the notice, the sender has
 *    given it up, or the receiver is off. Then `purge` replaces the identity by its keyed hash. A tenant without a webhook has no
 *    notices, so readers of its feed can get the event only for a few seconds.
 *
 * The row of the user stays under the hash and keeps the version. If the same ids are bound again, a page or a receiver that knows an older
 * version must see a greater version. A crash between the two steps does no harm: the marks are stored, so `purge`
 * continues after the restart. If a user is added again before the second step, its mark is removed, but its marked events are
 * still deleted.
 */
import { createBatchSize } from '../batch-size.ts'
import type { Plan } from '../plan.ts'
import type { Identity, Store } from '../store.ts'
import type { Queries } from './queries.ts'
import type { TxSettings, VersionedUser } from './tx-settings.ts'

/** Replaces the identity of an erased user. */
export const erasedHash = ({ hashOf }: Pick<TxSettings, 'hashOf'>, { tenant, account, userId }: Identity) =>
  hashOf('erased user', tenant, account, userId)

/** This is a class for the reason given at `SqlTx`. */
export class Erasure {
  readonly #queries: Queries
  readonly #settings: TxSettings

  constructor(queries: Queries, settings: TxSettings) {
    this.#queries = queries
    this.#settings = settings
  }

  #hashOf(identity: Identity): string {
    return erasedHash(this.#settings, identity)
  }

  *erase(user: number, { identity, version }: VersionedUser, at: number): Plan<void> {
    yield* this.#queries.deleteTickets({ user })
    yield* this.#queries.deleteActions({ user })
    yield* this.#queries.deleteAuthorizations({ user })
    yield* this.#queries.clearReplies({ user })
    yield* this.#queries.markHistory({ user })
    yield* this.#deleteNotices(user, at)
    yield* this.#queries.deleteHistory({ user, version, at })
    yield* this.#queries.markUser({ user })
    yield* this.#forget(user, identity)
    this.#settings.onErase?.()
  }

  /** Deletes the marked events until `before` that have no waiting notice. The user is locked. */
  *purge(user: number, { identity }: VersionedUser, before: number): Plan<void> {
    yield* this.#deleteNotices(user, before)
    yield* this.#queries.deleteMarked({ user, before })
    yield* this.#forget(user, identity)
    this.#settings.onErase?.()
  }

  /** Deletes the notices that the sender has given up. Their events are deleted next. */
  *#deleteNotices(user: number, before: number): Plan<void> {
    yield* this.#queries.deleteUnsent({ user, before })
    yield* this.#queries.deleteNotices({ user, before })
  }

  /** Replaces the identity by its hash, unless an event is left or the user was added again. */
  *#forget(user: number, identity: Identity): Plan<void> {
    if ((yield* this.#queries.markedOf({ user })).rows.length > 0) return
    const hash = this.#hashOf(identity)
    if ((yield* this.#queries.isMarked({ user })).rows.length === 0) return
    // Deletes the row of an earlier erasure of the same ids. Its version is smaller, because this user began with that version.
    yield* this.#queries.deleteFloor({ hash })
    yield* this.#queries.toFloor({ user, hash })
  }

  /** The version that an erased user of this identity had; 0 if there was none. */
  *floorOf(identity: Identity): Plan<number> {
    return (yield* this.#queries.floorOf({ hash: this.#hashOf(identity) })).rows[0]?.version ?? 0
  }

  *raiseToFloor(user: number, identity: Identity): Plan<void> {
    yield* this.#queries.raiseToFloor({ user, hash: this.#hashOf(identity) })
  }
}

/** Completes the erasures made until `before` whose notices were accepted or given up. */
export async function purgeErased(write: Store['write'], before: number): Promise<void> {
  const batch = createBatchSize()
  let isMore: boolean
  do {
    const limit = batch.present()
    isMore = await write((tx) => tx.purgeErased(before, limit), { onTook: batch.note })
  } while (isMore)
}
