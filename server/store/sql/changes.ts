/** The changes of a unit, each as the queries that make it. */
import type { Kysely } from 'kysely'
import type { Plan } from '../plan.ts'
import type { Change, Committed, User } from '../store.ts'
import type { Queries } from './queries.ts'
import { toBindingRow, toConfirmationValues } from './rows.ts'
import type { Tables } from './tables.ts'

export type Db = Kysely<Tables>

/** A keyed hash, base64url: what may be kept of an id that must not be. */
export type KeyedHash = (...parts: string[]) => string

export type TxSettings = {
  hashOf: KeyedHash
  /** Whether a change of this tenant is to be told to someone. */
  hasWebhook: (tenant: string) => boolean
}

type Of<T extends Change['type']> = Extract<Change, { type: T }>
type Appliers = { [T in Change['type']]: (change: Of<T>) => Plan<unknown> }

/** What a change needs to know of a user that its decision has read: to ask again would cost 3 us. Kept true by `raise`. */
export type VersionedUser = Pick<User, 'identity' | 'version' | 'reason'>

/** What a unit writes: a method for each type of change. A class as `SqlTx` is, and for the same reason. */
export class Changes implements Appliers {
  readonly #queries: Queries
  readonly #settings: TxSettings
  readonly #touched: Map<number, Committed>
  readonly #versionedUser: (user: number) => Plan<VersionedUser>

  /** `touched` collects the versions that the unit has raised, for the waiters. */
  constructor(
    queries: Queries,
    settings: TxSettings,
    touched: Map<number, Committed>,
    standingOf: (user: number) => Plan<VersionedUser>,
  ) {
    this.#queries = queries
    this.#settings = settings
    this.#touched = touched
    this.#versionedUser = standingOf
  }

  *apply(change: Change): Plan<void> {
    yield* (this[change.type] as (change: Change) => Plan<unknown>).call(this, change)
  }

  /** Raises the version; the row stays locked to the commit, so that versions have no gap and no double. */
  *bumpVersion(id: number, reason?: User['reason']): Plan<Committed> {
    const user = yield* this.#versionedUser(id)
    user.version++
    if (reason !== undefined) user.reason = reason
    yield* this.#queries.bumpVersion({ id, version: user.version, reason: user.reason })
    const raised = { identity: user.identity, version: user.version }
    this.#touched.set(id, raised)
    return raised
  }

  *#append(user: number, { identity, version }: Committed, type: 'bound' | 'unbound', reason: string, at: number) {
    const event = { user, version, type, reason, at }
    const { tenant } = identity
    if (!this.#settings.hasWebhook(tenant)) return yield* this.#queries.addEvent(event)
    const { rows } = yield* this.#queries.addEventToTell(event)
    return yield* this.#queries.addNotice({ event: rows[0]!.id, user, tenant, at })
  }

  *bind({ user, binding, reason, at }: Of<'bind'>) {
    const raised = yield* this.bumpVersion(user, null)
    yield* this.#queries.bind(toBindingRow(user, raised, binding))
    yield* this.#append(user, raised, 'bound', reason, at)
  }

  *unbind({ user, reason, at }: Of<'unbind'>) {
    yield* this.#queries.unbind({ user })
    yield* this.#append(user, yield* this.bumpVersion(user, reason), 'unbound', reason, at)
  }

  setSubscribed({ user, subscribed, eventTime }: Of<'setSubscribed'>) {
    return this.#queries.setSubscribed({ user, subscribed: subscribed ? 1 : 0, eventTime })
  }

  *scan({ ticket, user, confirmation }: Of<'scan'>) {
    yield* this.#queries.scan({ ticket, ...toConfirmationValues(confirmation) })
    yield* this.bumpVersion(user)
  }

  relabel(change: Of<'relabel'>) {
    return this.#queries.relabel(change)
  }

  wrongDigits(change: Of<'wrongDigits'>) {
    return this.#queries.setTriesLeft(change)
  }

  *close({ ticket, user, as, bumpsVersion, delivery }: Of<'close'>) {
    const { changes } = yield* this.#queries.close({ ticket, as, delivery: delivery ?? null })
    // The facts said that it was open. Should they ever be wrong, this keeps a ticket from binding twice.
    if (changes !== 1) throw new Error(`ticket ${ticket} is over already`)
    if (bumpsVersion) yield* this.bumpVersion(user)
  }

  closeOthers(change: Of<'closeOthers'>) {
    return this.#queries.closeOthers(change)
  }

  recordUnfollow({ appId, openid, eventTime, until }: Of<'recordUnfollow'>) {
    return this.#queries.recordUnfollow({ hash: this.#settings.hashOf(appId, openid), eventTime, until })
  }

  wrongCode({ openid, at }: Of<'wrongCode'>) {
    return this.#queries.addWrongCode({ hash: this.#settings.hashOf(openid), at })
  }
}
