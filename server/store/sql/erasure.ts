/**
 * Erases a user. Two steps, each in one transaction:
 *
 * 1. `erase` deletes the tickets and the history, empties the recorded replies that name the user, and marks the user. The binding
 *    has been removed before, in the same transaction. What remains are the notices that still wait for a receiver, and the
 *    event of the erasure itself, both marked.
 * 2. `purge` deletes the marked events once their notices are taken or given up (or their receiver is off), and then replaces the identity by its keyed hash.
 *    A tenant without a webhook has no notices: its readers of the feed get the event for a few seconds.
 *
 * The row of the user stays under the hash, with the version: after another bind of the same ids, a page or a receiver that knows
 * an older version must see a greater one. What could go wrong: a crash between the two steps. The marks are stored, so `purge`
 * goes on after the restart. A user that comes back before the second step is no longer marked; its marked events still go.
 */
import type { Plan } from '../plan.ts'
import type { Identity, Store } from '../store.ts'
import type { Queries } from './queries.ts'
import type { TxSettings, VersionedUser } from './tx-settings.ts'

/** Stands for the identity of an erased user. */
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
    yield* this.#queries.clearReplies({ user })
    yield* this.#queries.markHistory({ user })
    yield* this.#deleteNotices(user, at)
    yield* this.#queries.deleteHistory({ user, version, at })
    yield* this.#queries.markUser({ user })
    yield* this.#forget(user, identity)
    this.#settings.onErase?.()
  }

  /** Deletes the marked events until `before` whose notices no longer wait. The user is locked. */
  *purge(user: number, { identity }: VersionedUser, before: number): Plan<void> {
    yield* this.#deleteNotices(user, before)
    yield* this.#queries.deleteMarked({ user, before })
    yield* this.#forget(user, identity)
    this.#settings.onErase?.()
  }

  /** Deletes the given up notices of events that will be deleted. */
  *#deleteNotices(user: number, before: number): Plan<void> {
    yield* this.#queries.deleteUnsent({ user, before })
    yield* this.#queries.deleteNotices({ user, before })
  }

  /** Replaces the identity by its hash, unless an event is left or the user has come back. */
  *#forget(user: number, identity: Identity): Plan<void> {
    if ((yield* this.#queries.markedOf({ user })).rows.length > 0) return
    const hash = this.#hashOf(identity)
    if ((yield* this.#queries.isMarked({ user })).rows.length === 0) return
    // An earlier erasure of the same ids has left its row. Its version is smaller, because this user began with it.
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

// A unit of work locks so many users at most.
const PURGED_AT_ONCE = 100

/** Completes all erasures until `before` whose notices are taken or given up. */
export async function purgeErased(write: Store['write'], before: number): Promise<void> {
  while (await write((tx) => tx.purgeErased(before, PURGED_AT_ONCE)));
}
