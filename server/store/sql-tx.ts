/** The facts of a unit, in SQL that every engine understands. */
import { type Expression, type SqlBool, sql } from 'kysely'
import { type Locks, noLocks } from './locks.ts'
import { toTicket, toUser, unknownUser } from './rows.ts'
import { createChanges, type Db, type TxSettings } from './sql-changes.ts'
import type { Committed, Identity, Ticket, Tx, User } from './store.ts'

const identityOf =
  ({ tenant, account, userId }: Identity) =>
  (eb: { and(values: Record<string, string>): Expression<SqlBool> }) =>
    eb.and({ tenant, account, user_id: userId })

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
export function createTx(db: Db, settings: TxSettings, touched: Map<number, Committed>, locks: Locks = noLocks): Tx {
  const { hashOf } = settings
  const { apply, raise, closeOthers } = createChanges(db, settings, touched)

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
    apply,
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
