/** The facts of a unit, and what it writes. */
import { type Locks, noLocks } from './locks.ts'
import type { Run } from './query.ts'
import { toHeldTickets, toTicket, toUsers, unknownUser } from './rows.ts'
import { createChanges, type TxSettings } from './sql-changes.ts'
import type { Queries } from './sql-queries.ts'
import type { Committed, Ticket, Tx } from './store.ts'

type TicketRow = Parameters<typeof toTicket>[0]

/** `touched` collects the versions that the transaction raised, for the waiters. */
export function createTx(
  run: Run,
  queries: Queries,
  settings: TxSettings,
  touched: Map<number, Committed>,
  locks: Locks = noLocks,
): Tx {
  const { hashOf } = settings
  const { apply, raise } = createChanges(run, queries, settings, touched)

  /** Reads until every user that was read of is locked: while a lock was waited for, its holder may have changed all. */
  async function settled<Row>(read: () => Promise<{ rows: Row[] }>, userOf: (row: Row) => number): Promise<Row[]> {
    for (;;) {
      const { rows } = await read()
      if (!(await locks.users(rows.map(userOf)))) return rows
    }
  }

  /** A commit of 64 claims takes 20 us less for each than with keys that lie all over the table. */
  const toMemoryKey = (key: string) => (/^\d{1,12}\|/.exec(key)?.[0] ?? '') + hashOf(key)

  const tickets = (read: () => Promise<{ rows: TicketRow[] }>) => settled(read, ({ user }) => user)

  const ticket = async (read: () => Promise<{ rows: TicketRow[] }>): Promise<Ticket | undefined> => {
    const [row] = await tickets(read)
    return row && toTicket(row)
  }

  return {
    async userOf(identity) {
      const rows = await settled(
        () => queries.userByIdentity(run, identity),
        ({ id }) => id,
      )
      return toUsers(rows)[0] ?? unknownUser(identity)
    },
    async userById(id) {
      await locks.users([id])
      const [user] = toUsers((await queries.userById(run, { id })).rows)
      if (!user) throw new Error(`there is no user ${id}`)
      return user
    },
    ticketByScene: (scene) => ticket(() => queries.ticketByScene(run, { scene })),
    ticketByCode: (appId, code) => ticket(() => queries.ticketByCode(run, { appId, code })),
    async heldBy(appId, openid) {
      await locks.openid(openid)
      return toHeldTickets(await tickets(() => queries.heldBy(run, { appId, openid })))
    },
    async heldOf(user) {
      await locks.users([user])
      return toHeldTickets((await queries.heldOf(run, { user })).rows)[0]
    },
    async ownersOf(appId, openid) {
      await locks.openid(openid)
      const rows = await settled(
        () => queries.ownersOf(run, { appId, openid }),
        ({ id }) => id,
      )
      return toUsers(rows)
    },
    async erasedAt(appId, openid) {
      await locks.openid(openid)
      return (await queries.erasedAt(run, { hash: hashOf(appId, openid) })).rows[0]?.event_time
    },
    async wrongCodesSince(openid, since) {
      await locks.openid(openid)
      return (await queries.wrongCodesSince(run, { hash: hashOf(openid), since })).rows[0]!.n
    },
    isAnyPending: async (appId, since) => (await queries.anyPending(run, { appId, since })).rows.length > 0,
    apply,
    recall: async (key) => (await queries.recall(run, { key: toMemoryKey(key) })).rows[0]?.text,
    async remember(key, text, until) {
      await queries.remember(run, { key: toMemoryKey(key), text, until })
    },
    async addTicket(identity, { appId, wechatTicket, createdAt, expiresAt, ...same }, replacesOthers) {
      const user = (await queries.ensureUser(run, identity)).rows[0]!.id
      await locks.users([user])
      const times = { created_at: createdAt, expires_at: expiresAt }
      const values = { ...same, ...times, user, app_id: appId, wechat_ticket: wechatTicket }
      const row = (await queries.addTicket(run, values)).rows[0]!
      if (replacesOthers) {
        const { rows: held } = await queries.heldOf(run, { user })
        await queries.closeOthers(run, { user, ticket: row.id })
        // A scan was called off, which other pages of the user show.
        if (held.length > 0) await raise(user)
      }
      return toTicket(row)
    },
    spend: async (jti, until) => (await queries.spend(run, { jti: hashOf(jti), until })).changes === 1,
  }
}
