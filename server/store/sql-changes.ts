/** The changes of a unit, in SQL that every engine understands. */
import { type Kysely, sql } from 'kysely'
import { noHold, toBindingRow, toHoldColumns } from './rows.ts'
import type { Tables } from './schema.ts'
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
export function createChanges(db: Db, { hashOf, hasWebhook }: TxSettings, touched: Map<number, Committed>) {
  /** Raises the version; the row stays locked to the commit, so that versions have no gap and no double. */
  async function raise(id: number, reason?: User['reason']): Promise<number> {
    const row = await db
      .updateTable('users')
      .set({ version: sql`version + 1`, ...(reason === undefined ? {} : { reason }) })
      .where('id', '=', id)
      .returningAll()
      .executeTakeFirstOrThrow()
    const { tenant, account, user_id: userId, version } = row
    touched.set(id, { identity: { tenant, account, userId }, version })
    return version
  }

  async function append(user: number, version: number, type: 'bound' | 'unbound', reason: string, at: number) {
    const query = db.insertInto('events').values({ user, version, type, reason, at }).returning('id')
    const { id: event } = await query.executeTakeFirstOrThrow()
    const { tenant } = (touched.get(user) as Committed).identity
    if (!hasWebhook(tenant)) return
    await db.insertInto('outbox').values({ event, user, tenant, state: 'waiting', next_at: at }).execute()
  }

  const appliers: Appliers = {
    async bind({ user, binding, reason, at }) {
      const version = await raise(user, null)
      const { tenant } = (touched.get(user) as Committed).identity
      const row = toBindingRow(user, tenant, binding, version)
      await db
        .insertInto('bindings')
        .values(row)
        .onConflict((conflict) => conflict.column('user').doUpdateSet(row))
        .execute()
      await append(user, version, 'bound', reason, at)
    },
    async unbind({ user, reason, at }) {
      await db.deleteFrom('bindings').where('user', '=', user).execute()
      await append(user, await raise(user, reason), 'unbound', reason, at)
    },
    mark: ({ user, subscribed, eventTime }) =>
      db
        .updateTable('bindings')
        .set({ subscribed: subscribed ? 1 : 0, event_time: eventTime })
        .where('user', '=', user)
        .execute(),
    async hold({ ticket, user, hold }) {
      await db.updateTable('tickets').set(toHoldColumns(hold)).where('id', '=', ticket).execute()
      await raise(user)
    },
    relabel: ({ ticket, label, lang }) =>
      db.updateTable('tickets').set({ label, lang }).where('id', '=', ticket).where('state', '=', 'pending').execute(),
    missed: ({ ticket, triesLeft }) =>
      db.updateTable('tickets').set({ tries_left: triesLeft }).where('id', '=', ticket).execute(),
    async close({ ticket, user, as, wakes }) {
      const { numUpdatedRows } = await db
        .updateTable('tickets')
        .set({ state: as, ...noHold })
        .where('id', '=', ticket)
        .where('state', 'in', ['pending', 'held'])
        .executeTakeFirst()
      // The facts said that it was open. Should they ever be wrong, this keeps a ticket from binding twice.
      if (numUpdatedRows !== 1n) throw new Error(`ticket ${ticket} is over already`)
      if (wakes) await raise(user)
    },
    closeOthers: ({ user, ticket }) => closeOthers(user, ticket),
    erase: ({ appId, openid, eventTime: event_time, until }) =>
      db
        .insertInto('erased')
        .values({ openid_hash: hashOf(appId, openid), event_time, until })
        // An older unfollow that arrives late must not shorten what a newer one has said.
        .onConflict((conflict) =>
          conflict.column('openid_hash').doUpdateSet({ event_time, until }).where('erased.event_time', '<', event_time),
        )
        .execute(),
    wrongCode: ({ openid, at }) =>
      db
        .insertInto('wrong_codes')
        .values({ openid_hash: hashOf(openid), at })
        .execute(),
  }

  async function closeOthers(user: number, ticket: number): Promise<void> {
    await db
      .updateTable('tickets')
      .set({ state: 'replaced', ...noHold })
      .where('user', '=', user)
      .where('state', 'in', ['pending', 'held'])
      .where('id', '!=', ticket)
      .execute()
  }

  return {
    async apply(change: Change): Promise<void> {
      await (appliers[change.type] as (change: Change) => Promise<unknown>)(change)
    },
    raise,
    closeOthers,
  }
}
