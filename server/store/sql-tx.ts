/** Facts and changes in SQL that every engine understands. */
import { type Expression, type Kysely, type SqlBool, sql } from 'kysely'
import { type Locks, noLocks } from './locks.ts'
import { noHold, toBindingRow, toHoldColumns, toTicket, toUser, unknownUser } from './rows.ts'
import type { Tables } from './schema.ts'
import type { Change, Committed, Identity, Ticket, Tx, User } from './store.ts'

export type Db = Kysely<Tables>

/** A keyed hash, base64url: what may be kept of an id that must not be. */
export type KeyedHash = (...parts: string[]) => string

const identityOf =
  ({ tenant, account, userId }: Identity) =>
  (eb: { and(values: Record<string, string>): Expression<SqlBool> }) =>
    eb.and({ tenant, account, user_id: userId })

export type TxSettings = {
  hashOf: KeyedHash
  /** Whether a change of this tenant is to be told to someone. */
  hasWebhook: (tenant: string) => boolean
}

/** The user row with its binding and its held ticket; undefined when the user was never seen. */
export async function readUser(db: Db, identity: Identity): Promise<User> {
  const row = await db.selectFrom('users').selectAll().where(identityOf(identity)).executeTakeFirst()
  return row ? withState(db, row) : unknownUser(identity)
}

async function withState(db: Db, row: Parameters<typeof toUser>[0]): Promise<User> {
  const binding = await db.selectFrom('bindings').selectAll().where('user', '=', row.id).executeTakeFirst()
  const held = await heldTickets(db).where('user', '=', row.id).limit(1).executeTakeFirst()
  return toUser(row, binding, held)
}

type TicketRow = Parameters<typeof toTicket>[0]

const heldTickets = (db: Db) =>
  db.selectFrom('tickets').selectAll().where('state', '=', 'held').orderBy('held_until', 'desc')

/** `touched` collects the versions that the transaction raised, for the waiters. */
export function createTx(
  db: Db,
  { hashOf, hasWebhook }: TxSettings,
  touched: Map<number, Committed>,
  locks: Locks = noLocks,
): Tx {
  /** Reads until every user that was read of is locked: while a lock was waited for, its holder may have changed all. */
  async function settled<T>(read: () => Promise<T>, usersOf: (found: T) => number[]): Promise<T> {
    for (;;) {
      const found = await read()
      if (!(await locks.users(usersOf(found)))) return found
    }
  }

  const ticket = async (query: { executeTakeFirst(): Promise<TicketRow | undefined> }): Promise<Ticket | undefined> => {
    const row = await settled(
      () => query.executeTakeFirst(),
      (found) => (found ? [found.user] : []),
    )
    return row && toTicket(row)
  }

  async function userById(id: number): Promise<User> {
    await locks.users([id])
    return withState(db, await db.selectFrom('users').selectAll().where('id', '=', id).executeTakeFirstOrThrow())
  }

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

  const appliers: { [T in Change['type']]: (change: Extract<Change, { type: T }>) => Promise<unknown> } = {
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

  function closeOthers(user: number, ticket: number) {
    return db
      .updateTable('tickets')
      .set({ state: 'replaced', ...noHold })
      .where('user', '=', user)
      .where('state', 'in', ['pending', 'held'])
      .where('id', '!=', ticket)
      .execute()
  }

  async function ensureUser({ tenant, account, userId }: Identity): Promise<number> {
    const { id } = await db
      .insertInto('users')
      .values({ tenant, account, user_id: userId, reason: null })
      // An update that changes nothing gives the row back in both cases, and locks it.
      .onConflict((conflict) => conflict.columns(['tenant', 'account', 'user_id']).doUpdateSet({ tenant }))
      .returning('id')
      .executeTakeFirstOrThrow()
    return id
  }

  return {
    userOf: (identity) =>
      settled(
        () => readUser(db, identity),
        ({ id }) => [id],
      ),
    userById,
    ticketByScene: (scene) => ticket(db.selectFrom('tickets').selectAll().where('scene', '=', scene)),
    ticketByCode: (appId, code) =>
      ticket(db.selectFrom('tickets').selectAll().where('code', '=', code).where('app_id', '=', appId)),
    async heldBy(appId, openid) {
      await locks.openid(openid)
      const query = heldTickets(db).where('openid', '=', openid).where('app_id', '=', appId)
      const rows = await settled(
        () => query.execute(),
        (found) => found.map(({ user }) => user),
      )
      return rows.map(toTicket)
    },
    async heldOf(user) {
      await locks.users([user])
      return ticket(heldTickets(db).where('user', '=', user).limit(1))
    },
    async ownersOf(appId, openid) {
      await locks.openid(openid)
      const query = db
        .selectFrom('bindings')
        .select('user')
        .where('openid', '=', openid)
        .where('app_id', '=', appId)
        .orderBy('bound_at', 'desc')
      const rows = await settled(
        () => query.execute(),
        (found) => found.map(({ user }) => user),
      )
      const owners: User[] = []
      for (const { user } of rows) owners.push(await userById(user))
      return owners
    },
    async erasedAt(appId, openid) {
      await locks.openid(openid)
      const query = db.selectFrom('erased').select('event_time').where('openid_hash', '=', hashOf(appId, openid))
      return (await query.executeTakeFirst())?.event_time
    },
    async wrongCodesSince(openid, since) {
      await locks.openid(openid)
      const query = db.selectFrom('wrong_codes').where('openid_hash', '=', hashOf(openid)).where('at', '>', since)
      return (await query.select(countAll).executeTakeFirstOrThrow()).n
    },
    async isAnyPending(appId, since) {
      const row = await db
        .selectFrom('tickets')
        .select('id')
        .where('expires_at', '>', since)
        .where('app_id', '=', appId)
        .where('state', '=', 'pending')
        .limit(1)
        .executeTakeFirst()
      return row !== undefined
    },
    async apply(change) {
      await (appliers[change.type] as (change: Change) => Promise<unknown>)(change)
    },
    async recall(key) {
      const query = db.selectFrom('memories').select('text').where('key', '=', hashOf(key))
      return (await query.executeTakeFirst())?.text
    },
    async remember(key, text, until) {
      await db
        .insertInto('memories')
        .values({ key: hashOf(key), text, until })
        .execute()
    },
    async addTicket(identity, ticket, replacesOthers) {
      const user = await ensureUser(identity)
      const row = await db.insertInto('tickets').values(toNewRow(user, ticket)).returningAll().executeTakeFirstOrThrow()
      if (replacesOthers) {
        const held = await heldTickets(db).select('id').where('user', '=', user).limit(1).executeTakeFirst()
        await closeOthers(user, row.id)
        // A scan was called off, which other pages of the user show.
        if (held) await raise(user)
      }
      return toTicket(row)
    },
    async spend(jti, until) {
      const { numInsertedOrUpdatedRows } = await db
        .insertInto('jtis')
        .values({ jti: hashOf(jti), until })
        .onConflict((conflict) => conflict.doNothing())
        .executeTakeFirst()
      return numInsertedOrUpdatedRows === 1n
    },
  }
}

export const countAll = sql<number>`count(*)`.as('n')

function toNewRow(user: number, ticket: Parameters<Tx['addTicket']>[1]) {
  return {
    user,
    app_id: ticket.appId,
    scene: ticket.scene,
    code: ticket.code,
    wechat_ticket: ticket.wechatTicket,
    url: ticket.url,
    label: ticket.label,
    lang: ticket.lang,
    created_at: ticket.createdAt,
    expires_at: ticket.expiresAt,
    state: 'pending' as const,
  }
}
