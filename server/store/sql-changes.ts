/** The changes of a unit, each as the queries that make it. */
import type { Kysely } from 'kysely'
import type { Plan } from './plan.ts'
import { toBindingRow, toHoldValues } from './rows.ts'
import type { Tables } from './schema.ts'
import type { Queries } from './sql-queries.ts'
import type { Change, Committed, User } from './store.ts'

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
export type Standing = Pick<User, 'identity' | 'version' | 'reason'>

/** What a unit writes: a method for each type of change. A class as `SqlTx` is, and for the same reason. */
export class Changes implements Appliers {
  readonly #queries: Queries
  readonly #settings: TxSettings
  readonly #touched: Map<number, Committed>
  readonly #standingOf: (user: number) => Plan<Standing>

  /** `touched` collects the versions that the unit has raised, for the waiters. */
  constructor(
    queries: Queries,
    settings: TxSettings,
    touched: Map<number, Committed>,
    standingOf: (user: number) => Plan<Standing>,
  ) {
    this.#queries = queries
    this.#settings = settings
    this.#touched = touched
    this.#standingOf = standingOf
  }

  *apply(change: Change): Plan<void> {
    yield* (this[change.type] as (change: Change) => Plan<unknown>).call(this, change)
  }

  /** Raises the version; the row stays locked to the commit, so that versions have no gap and no double. */
  *raise(id: number, reason?: User['reason']): Plan<Committed> {
    const standing = yield* this.#standingOf(id)
    standing.version++
    if (reason !== undefined) standing.reason = reason
    yield* this.#queries.raise({ id, version: standing.version, reason: standing.reason })
    const raised = { identity: standing.identity, version: standing.version }
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
    const raised = yield* this.raise(user, null)
    yield* this.#queries.bind(toBindingRow(user, raised, binding))
    yield* this.#append(user, raised, 'bound', reason, at)
  }

  *unbind({ user, reason, at }: Of<'unbind'>) {
    yield* this.#queries.unbind({ user })
    yield* this.#append(user, yield* this.raise(user, reason), 'unbound', reason, at)
  }

  mark({ user, subscribed, eventTime }: Of<'mark'>) {
    return this.#queries.mark({ user, subscribed: subscribed ? 1 : 0, eventTime })
  }

  *hold({ ticket, user, hold }: Of<'hold'>) {
    yield* this.#queries.hold({ ticket, ...toHoldValues(hold) })
    yield* this.raise(user)
  }

  relabel(change: Of<'relabel'>) {
    return this.#queries.relabel(change)
  }

  missed(change: Of<'missed'>) {
    return this.#queries.missed(change)
  }

  *close({ ticket, user, as, wakes, by }: Of<'close'>) {
    const { changes } = yield* this.#queries.close({ ticket, as, by: by ?? null })
    // The facts said that it was open. Should they ever be wrong, this keeps a ticket from binding twice.
    if (changes !== 1) throw new Error(`ticket ${ticket} is over already`)
    if (wakes) yield* this.raise(user)
  }

  closeOthers(change: Of<'closeOthers'>) {
    return this.#queries.closeOthers(change)
  }

  erase({ appId, openid, eventTime, until }: Of<'erase'>) {
    return this.#queries.erase({ hash: this.#settings.hashOf(appId, openid), eventTime, until })
  }

  wrongCode({ openid, at }: Of<'wrongCode'>) {
    return this.#queries.addWrongCode({ hash: this.#settings.hashOf(openid), at })
  }
}
