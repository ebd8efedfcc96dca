/** The reads outside a transaction, and the sweep. */
import { sql } from 'kysely'
import { toTicket } from './rows.ts'
import { countAll, type Db, readUser } from './sql-tx.ts'
import type { Identity, Store } from './store.ts'

export type Guard = <T>(result: Promise<T>) => Promise<T>

// Small enough that a callback never waits long behind a batch.
const BATCH = 500

// A ticket that is over still tells a late scanner so; a day later nobody scans it.
const TICKET_KEPT_MS = 24 * 60 * 60_000

const HOUR_MS = 60 * 60_000

export function createReads(
  db: Db,
  guard: Guard,
): Pick<Store, 'user' | 'liveTicket' | 'ticketsSince' | 'setUnionid' | 'sweep' | 'ping'> {
  const tickets = ({ tenant, account, userId }: Identity) =>
    db
      .selectFrom('tickets')
      .innerJoin('users', 'users.id', 'tickets.user')
      .where('users.tenant', '=', tenant)
      .where('users.account', '=', account)
      .where('users.user_id', '=', userId)

  async function liveTicket(identity: Identity, now: number) {
    const row = await tickets(identity)
      .selectAll('tickets')
      .where('tickets.state', '=', 'pending')
      .where('tickets.expires_at', '>', now)
      .orderBy('tickets.created_at', 'desc')
      .limit(1)
      .executeTakeFirst()
    return row && toTicket(row)
  }

  async function ticketsSince(identity: Identity, since: number, state?: 'dead') {
    const made = tickets(identity).where('tickets.created_at', '>', since)
    const query = state === undefined ? made : made.where('tickets.state', '=', state)
    return (await query.select(countAll).executeTakeFirstOrThrow()).n
  }

  async function setUnionid(user: number, openid: string, unionid: string) {
    await db.updateTable('bindings').set({ unionid }).where('user', '=', user).where('openid', '=', openid).execute()
  }

  const expired = {
    memories: (now: number) =>
      sql`delete from memories where key in (select key from memories where until <= ${now} limit ${BATCH})`,
    jtis: (now: number) =>
      sql`delete from jtis where jti in (select jti from jtis where until <= ${now} limit ${BATCH})`,
    erased: (now: number) =>
      sql`delete from erased where openid_hash in (select openid_hash from erased where until <= ${now} limit ${BATCH})`,
    wrongCodes: (now: number) =>
      sql`delete from wrong_codes where id in (select id from wrong_codes where at <= ${now - HOUR_MS} limit ${BATCH})`,
    tickets: (now: number) =>
      sql`delete from tickets where id in (select id from tickets where expires_at <= ${now - TICKET_KEPT_MS} limit ${BATCH})`,
  }

  async function sweep(now: number) {
    for (const batch of Object.values(expired)) {
      let gone = BATCH
      while (gone >= BATCH) gone = Number((await batch(now).execute(db)).numAffectedRows ?? 0)
    }
  }

  return {
    user: (identity) => guard(readUser(db, identity)),
    liveTicket: (identity, now) => guard(liveTicket(identity, now)),
    ticketsSince: (identity, since, state) => guard(ticketsSince(identity, since, state)),
    setUnionid: (user, openid, unionid) => guard(setUnionid(user, openid, unionid)),
    sweep: (now) => guard(sweep(now)),
    async ping() {
      await guard(sql`select 1`.execute(db))
    },
  }
}
