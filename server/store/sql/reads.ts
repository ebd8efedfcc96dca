/** The reads outside a transaction. */
import { sql } from 'kysely'
import type { Plan } from '../plan.ts'
import type { Identity, Store } from '../store.ts'
import type { Db } from './changes.ts'
import type { Guard } from './engine-errors.ts'
import { countAll, createUserQuery } from './queries.ts'
import { toTicketWithQr, toUsers, unknownUser } from './rows.ts'

export function createReads(
  db: Db,
  read: <T>(plan: Plan<T>) => Promise<T>,
  guard: Guard,
): Pick<Store, 'user' | 'liveTicket' | 'ticketsSince' | 'ping'> {
  const tickets = ({ tenant, account, userId }: Identity) =>
    db
      .selectFrom('tickets')
      .innerJoin('users', 'users.id', 'tickets.user')
      .where('users.tenant', '=', tenant)
      .where('users.account', '=', account)
      .where('users.user_id', '=', userId)

  const userByIdentity = createUserQuery(db)

  async function user(identity: Identity) {
    const { rows } = await read(userByIdentity(identity))
    return toUsers(rows)[0] ?? unknownUser(identity)
  }

  async function liveTicket(identity: Identity, now: number) {
    const row = await tickets(identity)
      .selectAll('tickets')
      .where('tickets.state', '=', 'pending')
      .where('tickets.expires_at', '>', now)
      .orderBy('tickets.created_at', 'desc')
      .limit(1)
      .executeTakeFirst()
    return row && toTicketWithQr(row)
  }

  async function ticketsSince(identity: Identity, since: number, state?: 'dead') {
    const made = tickets(identity).where('tickets.created_at', '>', since)
    const query = state === undefined ? made : made.where('tickets.state', '=', state)
    return (await query.select(countAll).executeTakeFirstOrThrow()).n
  }

  return {
    user: (identity) => guard(user(identity)),
    liveTicket: (identity, now) => guard(liveTicket(identity, now)),
    ticketsSince: (identity, since, state) => guard(ticketsSince(identity, since, state)),
    async ping() {
      await guard(sql`select 1`.execute(db))
    },
  }
}
