/** The changes that a unit of work applies: the queries of each type of change. */
import { takeRandom } from '../../crypto.ts'
import type { Plan } from '../plan.ts'
import type { Change, Committed, EventReason, EventType, Step, UpdateReason, User } from '../store.ts'
import { Erasure } from './erasure.ts'
import type { Queries } from './queries.ts'
import { toBindingRow, toConfirmationValues } from './rows.ts'
import type { TxSettings, VersionedUser } from './tx-settings.ts'

/**
 * The id is random, because after the restore of a backup a new event must not repeat an id that a receiver has already accepted.
 */
export const newEventUid = () => `evt_${takeRandom(16).toString('base64url')}`

type Of<T extends Change['type']> = Extract<Change, { type: T }>
type ChangeMethods = { [T in Change['type']]: (change: Of<T>) => Plan<unknown> }

const NO_ROWS = { changes: 0 }

/** One method for each type of change. This is a class for the reason given at `SqlTx`. */
export class Changes implements ChangeMethods {
  readonly #queries: Queries
  readonly #settings: TxSettings
  readonly #bumped: Map<number, Committed>
  readonly #versionedUser: (user: number) => Plan<VersionedUser>
  readonly erasure: Erasure

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
    this.erasure = new Erasure(queries, settings)
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
    const bumped: Committed = { identity: user.identity, version: user.version }
    const steps = this.#bumped.get(id)?.steps
    if (steps) bumped.steps = steps
    this.#bumped.set(id, bumped)
    return bumped
  }

  /** Notes a step of the funnel for the commit listeners. */
  #noteStep(bumped: Committed, step: Step): void {
    if (bumped.steps) bumped.steps.push(step)
    else bumped.steps = [step]
  }

  *#addEvent(user: number, { identity, version }: Committed, type: EventType, reason: EventReason, at: number) {
    const { tenant } = identity
    const event = { user, version, type, reason, at, uid: newEventUid(), tenant }
    if (!this.#settings.hasWebhook(tenant)) return yield* this.#queries.addEvent(event)
    const { rows } = yield* this.#queries.addEventReturningId(event)
    return yield* this.#queries.addToOutbox({ event: rows[0]!.id, user, tenant, at })
  }

  /** Adds the event of a binding that was changed but not removed. */
  *#addUpdate(user: number, reason: UpdateReason, at: number) {
    yield* this.#addEvent(user, yield* this.bumpVersion(user), 'updated', reason, at)
  }

  *bind({ user, binding, reason, at, shownAt }: Of<'bind'>) {
    const bumped = yield* this.bumpVersion(user, null)
    this.#noteStep(bumped, { name: 'bind', reason, tookMs: shownAt === undefined ? undefined : at - shownAt })
    yield* this.#queries.bind(toBindingRow(user, bumped, binding))
    yield* this.#addEvent(user, bumped, 'bound', reason, at)
  }

  *unbind({ user, reason, at }: Of<'unbind'>) {
    yield* this.#queries.unbind({ user })
    yield* this.closeTickets({ user, bumpsVersion: false })
    this.#settings.onErase?.()
    const bumped = yield* this.bumpVersion(user, reason)
    this.#noteStep(bumped, { name: 'unbind' })
    yield* this.#addEvent(user, bumped, 'unbound', reason, at)
  }

  *erase({ user, at }: Of<'erase'>) {
    yield* this.erasure.erase(user, yield* this.#versionedUser(user), at)
  }

  *setSubscribed({ user, subscribed, eventTime, at }: Of<'setSubscribed'>) {
    const { changes } = yield* this.#queries.setSubscribed({ user, subscribed: subscribed ? 1 : 0, eventTime })
    if (changes === 0) return yield* this.#queries.setEventTime({ user, eventTime })
    return yield* this.#addUpdate(user, subscribed ? 'subscribed' : 'unsubscribed', at)
  }

  *setUnionid({ user, openid, unionid, at }: Of<'setUnionid'>) {
    const { changes } = unionid === null ? NO_ROWS : yield* this.#queries.setUnionid({ user, openid, unionid })
    if (changes === 0) return yield* this.#queries.endUnionidRequest({ user, openid })
    return yield* this.#addUpdate(user, 'unionid', at)
  }

  *setFollowing({ user, openid, version, due, at }: Of<'setFollowing'>) {
    const { changes } = yield* this.#queries.setFollowing({ user, openid, version, due })
    if (changes > 0) yield* this.#addUpdate(user, 'subscribed', at)
  }

  *moveOpenid({ user, from, to, at }: Of<'moveOpenid'>) {
    const names = { fromAppId: from.appId, fromOpenid: from.openid, ...to }
    const { changes } = yield* this.#queries.moveOpenid({ user, ...names, at })
    if (changes === 0) return
    this.#settings.onErase?.()
    yield* this.#addUpdate(user, 'openid', at)
  }

  *scan({ ticket, user, confirmation }: Of<'scan'>) {
    yield* this.#queries.scan({ ticket, ...toConfirmationValues(confirmation) })
    this.#noteStep(yield* this.bumpVersion(user), { name: 'scan' })
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
    // The decision has read the ticket as open. If the decision has an error, this check keeps the ticket from binding twice.
    if (changes !== 1) throw new Error(`ticket ${ticket} is already closed`)
    // A scan that closes its ticket at once (`delivery`) stores no openid in it. Any other close may remove an openid.
    if (delivery === undefined) this.#settings.onErase?.()
    if (bumpsVersion) yield* this.bumpVersion(user)
  }

  *closeTickets({ user, ticket, bumpsVersion }: Omit<Of<'closeTickets'>, 'type'>) {
    const { changes } = yield* this.#queries.closeTickets({ user, except: ticket ?? 0 })
    const closed = ticket === undefined ? yield* this.#closeAll(user) : 0
    if (changes + closed > 0) this.#settings.onErase?.()
    if (bumpsVersion && changes > 0) yield* this.bumpVersion(user)
  }

  /** Closes these QR codes and authorizations, so that no earlier request can bind afterwards. Returns the number of authorizations. */
  *#closeAll(user: number): Plan<number> {
    yield* this.#queries.bumpTicketEpoch({ id: user })
    return (yield* this.#queries.closeAuthorizations({ user })).changes
  }

  *exchange({ authorization }: Of<'exchange'>) {
    this.#expectOne(authorization, yield* this.#queries.exchange({ id: authorization }))
  }

  *prove({ authorization, proof, openid, until }: Of<'prove'>) {
    const hash = this.#settings.hashOf('oauth proof', proof)
    this.#expectOne(authorization, yield* this.#queries.prove({ id: authorization, hash, openid, until }))
  }

  *closeAuthorization({ authorization }: Of<'closeAuthorization'>) {
    this.#expectOne(authorization, yield* this.#queries.closeAuthorization({ id: authorization }))
    this.#settings.onErase?.()
  }

  /**
   * The decision has already checked the state. This second check keeps WeChat's `state` or a proof from being accepted twice
   * even if the decision is wrong.
   */
  #expectOne(authorization: number, { changes }: { changes: number }): void {
    if (changes !== 1) throw new Error(`authorization ${authorization} is in another state`)
  }

  recordUnfollow({ appId, openid, eventTime, until }: Of<'recordUnfollow'>) {
    return this.#queries.recordUnfollow({ hash: this.#settings.hashOf(appId, openid), eventTime, until })
  }

  wrongCode({ openid, at }: Of<'wrongCode'>) {
    return this.#queries.addWrongCode({ hash: this.#settings.hashOf(openid), at })
  }

  *recordAction(change: Of<'recordAction'>) {
    const { operator, action, at } = change
    const about =
      'user' in change
        ? { user: change.user, version: (yield* this.#versionedUser(change.user)).version, subject: null }
        : { user: null, version: null, subject: change.subject }
    yield* this.#queries.addAction({ operator, action, at, ...about })
  }
}
