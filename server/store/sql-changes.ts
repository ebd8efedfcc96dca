/** The changes of a unit, each as the queries that make it. */
import type { Kysely } from 'kysely'
import type { Run } from './query.ts'
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

type Appliers = { [T in Change['type']]: (change: Extract<Change, { type: T }>) => Promise<unknown> }

/** `touched` collects the versions that the unit has raised, for the waiters. */
export function createChanges(
  run: Run,
  queries: Queries,
  { hashOf, hasWebhook }: TxSettings,
  touched: Map<number, Committed>,
) {
  /** Raises the version; the row stays locked to the commit, so that versions have no gap and no double. */
  async function raise(id: number, reason?: User['reason']): Promise<Committed> {
    const { rows } = await (reason === undefined ? queries.raise(run, { id }) : queries.raiseFor(run, { id, reason }))
    if (!rows[0]) throw new Error(`there is no user ${id}`)
    const { tenant, account, user_id: userId, version } = rows[0]
    const raised = { identity: { tenant, account, userId }, version }
    touched.set(id, raised)
    return raised
  }

  async function append(user: number, raised: Committed, type: 'bound' | 'unbound', reason: string, at: number) {
    const { tenant } = raised.identity
    const { rows } = await queries.addEvent(run, { user, version: raised.version, type, reason, at })
    if (hasWebhook(tenant)) await queries.addNotice(run, { event: rows[0]!.id, user, tenant, at })
  }

  const appliers: Appliers = {
    async bind({ user, binding, reason, at }) {
      const raised = await raise(user, null)
      await queries.bind(run, toBindingRow(user, raised, binding))
      await append(user, raised, 'bound', reason, at)
    },
    async unbind({ user, reason, at }) {
      await queries.unbind(run, { user })
      await append(user, await raise(user, reason), 'unbound', reason, at)
    },
    mark: ({ user, subscribed, eventTime }) => queries.mark(run, { user, subscribed: subscribed ? 1 : 0, eventTime }),
    async hold({ ticket, user, hold }) {
      await queries.hold(run, { ticket, ...toHoldValues(hold) })
      await raise(user)
    },
    relabel: (change) => queries.relabel(run, change),
    missed: (change) => queries.missed(run, change),
    async close({ ticket, user, as, wakes }) {
      const { changes } = await queries.close(run, { ticket, as })
      // The facts said that it was open. Should they ever be wrong, this keeps a ticket from binding twice.
      if (changes !== 1) throw new Error(`ticket ${ticket} is over already`)
      if (wakes) await raise(user)
    },
    closeOthers: (change) => queries.closeOthers(run, change),
    erase: ({ appId, openid, eventTime, until }) =>
      queries.erase(run, { hash: hashOf(appId, openid), eventTime, until }),
    wrongCode: ({ openid, at }) => queries.addWrongCode(run, { hash: hashOf(openid), at }),
  }

  return {
    async apply(change: Change): Promise<void> {
      await (appliers[change.type] as (change: Change) => Promise<unknown>)(change)
    },
    raise,
  }
}
