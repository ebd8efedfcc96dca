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

type Appliers = { [T in Change['type']]: (change: Extract<Change, { type: T }>) => Plan<unknown> }

/** What a change needs to know of a user that its decision has read: to ask again would cost 3 us. Kept true by `raise`. */
export type Standing = Pick<User, 'identity' | 'version' | 'reason'>

/** `touched` collects the versions that the unit has raised, for the waiters. */
export function createChanges(
  queries: Queries,
  { hashOf, hasWebhook }: TxSettings,
  touched: Map<number, Committed>,
  standingOf: (user: number) => Plan<Standing>,
) {
  /** Raises the version; the row stays locked to the commit, so that versions have no gap and no double. */
  function* raise(id: number, reason?: User['reason']): Plan<Committed> {
    const standing = yield* standingOf(id)
    standing.version++
    if (reason !== undefined) standing.reason = reason
    yield* queries.raise({ id, version: standing.version, reason: standing.reason })
    const raised = { identity: standing.identity, version: standing.version }
    touched.set(id, raised)
    return raised
  }

  function* append(
    user: number,
    { identity, version }: Committed,
    type: 'bound' | 'unbound',
    reason: string,
    at: number,
  ) {
    const event = { user, version, type, reason, at }
    const { tenant } = identity
    if (!hasWebhook(tenant)) return yield* queries.addEvent(event)
    const { rows } = yield* queries.addEventToTell(event)
    return yield* queries.addNotice({ event: rows[0]!.id, user, tenant, at })
  }

  const appliers: Appliers = {
    *bind({ user, binding, reason, at }) {
      const raised = yield* raise(user, null)
      yield* queries.bind(toBindingRow(user, raised, binding))
      yield* append(user, raised, 'bound', reason, at)
    },
    *unbind({ user, reason, at }) {
      yield* queries.unbind({ user })
      yield* append(user, yield* raise(user, reason), 'unbound', reason, at)
    },
    mark: ({ user, subscribed, eventTime }) => queries.mark({ user, subscribed: subscribed ? 1 : 0, eventTime }),
    *hold({ ticket, user, hold }) {
      yield* queries.hold({ ticket, ...toHoldValues(hold) })
      yield* raise(user)
    },
    relabel: (change) => queries.relabel(change),
    missed: (change) => queries.missed(change),
    *close({ ticket, user, as, wakes, by = null }) {
      const { changes } = yield* queries.close({ ticket, as, by })
      // The facts said that it was open. Should they ever be wrong, this keeps a ticket from binding twice.
      if (changes !== 1) throw new Error(`ticket ${ticket} is over already`)
      if (wakes) yield* raise(user)
    },
    closeOthers: (change) => queries.closeOthers(change),
    erase: ({ appId, openid, eventTime, until }) => queries.erase({ hash: hashOf(appId, openid), eventTime, until }),
    wrongCode: ({ openid, at }) => queries.addWrongCode({ hash: hashOf(openid), at }),
  }

  return {
    *apply(change: Change): Plan<void> {
      yield* (appliers[change.type] as (change: Change) => Plan<unknown>)(change)
    },
    raise,
  }
}
