/** The reads that need no unit of work. */
import { sql } from 'kysely'
import type { Plan } from '../plan.ts'
import type { Identity, Store } from '../store.ts'
import type { Db } from './changes.ts'
import type { AsStoreError } from './engine-errors.ts'
import { createUserByIdentity } from './queries.ts'
import { toTicketWithQr, toUsers, unknownUser } from './rows.ts'

/** Reads the whole index of openids: 0.1 s for a million bindings. Only the start and the doctor count. */
export async function countOtherBindings(db: Db, appId: string): Promise<number> {
  const { others } = await db
    .selectFrom('bindings')
    .where('app_id', '!=', appId)
    .select(({ fn }) => fn.countAll<number>().as('others'))
    .executeTakeFirstOrThrow()
  return Number(others)
}

export function createReads(
  db: Db,
  read: <T>(plan: Plan<T>) => Promise<T>,
  asStoreError: AsStoreError,
): Pick<Store, 'user' | 'liveTicket' | 'countOtherBindings' | 'ping'> {
  const userByIdentity = createUserByIdentity(db)

  async function user(identity: Identity) {
    const { rows } = await read(userByIdentity(identity))
    return toUsers(rows)[0] ?? unknownUser(identity)
  }

  async function liveTicket({ tenant, account, userId }: Identity, now: number) {
    const row = await db
      .selectFrom('tickets')
      .innerJoin('users', 'users.id', 'tickets.user')
      .where('users.tenant', '=', tenant)
      .where('users.account', '=', account)
      .where('users.user_id', '=', userId)
      .selectAll('tickets')
      .where('tickets.state', '=', 'pending')
      .where('tickets.expires_at', '>', now)
      .orderBy('tickets.created_at', 'desc')
      .limit(1)
      .executeTakeFirst()
    return row && toTicketWithQr(row)
  }

  return {
    user: (identity) => asStoreError(user(identity)),
    liveTicket: (identity, now) => asStoreError(liveTicket(identity, now)),
    countOtherBindings: (appId) => asStoreError(countOtherBindings(db, appId)),
    async ping() {
      await asStoreError(sql`select 1`.execute(db))
    },
  }
}
