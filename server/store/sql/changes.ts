/** The changes that a unit of work applies: the queries of each type of change. */
import type { Kysely } from 'kysely'
import { takeRandom } from '../../crypto.ts'
import type { Plan } from '../plan.ts'
import type { Change, Committed, User } from '../store.ts'
import type { Queries } from './queries.ts'
import { toBindingRow, toConfirmationValues } from './rows.ts'
import type { Tables } from './tables.ts'

export type Db = Kysely<Tables>

/** A keyed hash in base64url, stored in place of an id that may not be kept. */
export type KeyedHash = (...parts: string[]) => string

export type TxSettings = {
  hashOf: KeyedHash
  /** Whether the tenant has a webhook, so that its changes go to the outbox. */
  hasWebhook: (tenant: string) => boolean
  /** Called when a unit of work removes WeChat's ids from the tables. It may be rolled back afterwards. */
  onErase?: () => void
}

/** Random, so that a store restored from a backup gives no new event the id of one that a receiver has already accepted. */
const newEventUid = () => `evt_${takeRandom(16).toString('base64url')}`

type Of<T extends Change['type']> = Extract<Change, { type: T }>
type ChangeMethods = { [T in Change['type']]: (change: Of<T>) => Plan<unknown> }

/** The part of a user that `bumpVersion` needs. The unit caches it, because another read would take 3 us. */
export type VersionedUser = Pick<User, 'identity' | 'version' | 'reason'>

/** One method for each type of change. This is a class for the reason given at `SqlTx`. */
export class Changes implements ChangeMethods {
  readonly #queries: Queries
  readonly #settings: TxSettings
  readonly #bumped: Map<number, Committed>
  readonly #versionedUser: (user: number) => Plan<VersionedUser>

  /** `bumped` collects the new version of each user, for the commit listeners. */
  constructor(
    queries: Queries,
    settings: TxSettings,
    bumped: Map<number, Committed>,
    versionedUser: (user: number) => Plan<VersionedUser>,
  ) {
    this.#queries = queries
    this.#settings = settings
    this.#bumped = bumped
    this.#versionedUser = versionedUser
  }

  *apply(change: Change): Plan<void> {
    yield* (this[change.type] as (change: Change) => Plan<unknown>).call(this, change)
  }

  /** Adds 1 to the user's version. The user stays locked until the commit, so that no version is skipped or used twice. */
  *bumpVersion(id: number, reason?: User['reason']): Plan<Committed> {
    const user = yield* this.#versionedUser(id)
    user.version++
    if (reason !== undefined) user.reason = reason
    yield* this.#queries.bumpVersion({ id, version: user.version, reason: user.reason })
    const bumped = { identity: user.identity, version: user.version }
    this.#bumped.set(id, bumped)
    return bumped
  }

  *#addEvent(user: number, { identity, version }: Committed, type: 'bound' | 'unbound', reason: string, at: number) {
    const event = { user, version, type, reason, at, uid: newEventUid() }
    const { tenant } = identity
    if (!this.#settings.hasWebhook(tenant)) return yield* this.#queries.addEvent(event)
    const { rows } = yield* this.#queries.addEventReturningId(event)
    return yield* this.#queries.addToOutbox({ event: rows[0]!.id, user, tenant, at })
  }

  *bind({ user, binding, reason, at }: Of<'bind'>) {
    const bumped = yield* this.bumpVersion(user, null)
    yield* this.#queries.bind(toBindingRow(user, bumped, binding))
    yield* this.#addEvent(user, bumped, 'bound', reason, at)
  }

  *unbind({ user, reason, at }: Of<'unbind'>) {
    yield* this.#queries.unbind({ user })
    yield* this.closeTickets({ user, bumpsVersion: false })
    this.#settings.onErase?.()
    yield* this.#addEvent(user, yield* this.bumpVersion(user, reason), 'unbound', reason, at)
  }

  setSubscribed({ user, subscribed, eventTime }: Of<'setSubscribed'>) {
    return this.#queries.setSubscribed({ user, subscribed: subscribed ? 1 : 0, eventTime })
  }

  *scan({ ticket, user, confirmation }: Of<'scan'>) {
    yield* this.#queries.scan({ ticket, ...toConfirmationValues(confirmation) })
    yield* this.bumpVersion(user)
  }

  *refuse({ user, notice, at }: Of<'refuse'>) {
    const { version } = yield* this.bumpVersion(user)
    yield* this.#queries.refuse({ user, notice, version, at })
  }

  relabel(change: Of<'relabel'>) {
    return this.#queries.relabel(change)
  }

  wrongDigits(change: Of<'wrongDigits'>) {
    return this.#queries.setTriesLeft(change)
  }

  *close({ ticket, user, as, bumpsVersion, delivery }: Of<'close'>) {
    const { changes } = yield* this.#queries.close({ ticket, as, delivery: delivery ?? null })
    // The decision has read the ticket as open, so this check fails only after an error in a rule. The ticket then does not bind twice.
    if (changes !== 1) throw new Error(`ticket ${ticket} is already closed`)
    // Without a `delivery` the ticket was scanned before, so its row contains an openid, which is now removed.
    if (delivery === undefined) this.#settings.onErase?.()
    if (bumpsVersion) yield* this.bumpVersion(user)
  }

  *closeTickets({ user, ticket = 0, bumpsVersion }: Omit<Of<'closeTickets'>, 'type'>) {
    const { changes } = yield* this.#queries.closeTickets({ user, except: ticket })
    if (changes > 0) this.#settings.onErase?.()
    if (bumpsVersion && changes > 0) yield* this.bumpVersion(user)
  }

  recordUnfollow({ appId, openid, eventTime, until }: Of<'recordUnfollow'>) {
    return this.#queries.recordUnfollow({ hash: this.#settings.hashOf(appId, openid), eventTime, until })
  }

  wrongCode({ openid, at }: Of<'wrongCode'>) {
    return this.#queries.addWrongCode({ hash: this.#settings.hashOf(openid), at })
  }
}
