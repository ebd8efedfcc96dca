/** The reads outside a transaction, and the sweep. */
import { type RawBuilder, sql } from 'kysely'
import type { Guard } from './guard.ts'
import type { Engine } from './migrations.ts'
import type { NoticeState } from './outbox.ts'
import type { Plan } from './plan.ts'
import { query } from './query.ts'
import { toTicketWithQr, toUsers, unknownUser } from './rows.ts'
import type { Db } from './sql-changes.ts'
import { countAll, createUserQuery } from './sql-queries.ts'
import type { Asked, Identity, Store, UnionidStore } from './store.ts'

// A callback waits some 5 ms behind a batch at most, also where each row lies on a page of its own.
const BATCH = 200

// In the statement's text, since a planner that does not know how few they are reads the whole table.
const atMostBatch = sql`limit ${sql.lit(BATCH)}`

// A ticket that is over still tells a late scanner so; a day later nobody scans it.
const TICKET_KEPT_MS = 24 * 60 * 60_000

const HOUR_MS = 60 * 60_000

// A quarter to look into what happened, and to replay what no webhook has taken.
const EVENT_KEPT_MS = 90 * 24 * HOUR_MS

// A sender gives up after a day. What nobody has tried for half a year is a tenant's whose key was removed for good.
const UNTOLD_KEPT_MS = 2 * EVENT_KEPT_MS

export type Ways = {
  read: <T>(plan: Plan<T>) => Promise<T>
  write: <T>(work: () => Plan<T>) => Promise<T>
  /** Told of the rows that a sweep has deleted; it goes on when this resolves. */
  wrote?: (rows: number) => Promise<void>
}

export function createReads(
  db: Db,
  { read, write, wrote }: Ways,
  guard: Guard,
  engine: Engine,
): Pick<Store, 'user' | 'liveTicket' | 'ticketsSince' | 'unionids' | 'sweep' | 'ping'> {
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

  const isPostgres = engine === 'postgres'

  // Where there are many writers, what one instance is deleting is left to it.
  const mine = isPostgres ? sql`for update skip locked` : sql``

  // As an array, PostgreSQL looks each key up instead of reading the table beside it.
  const among = (keys: RawBuilder<unknown>) => (isPostgres ? sql`= any(array(${keys}))` : sql`in (${keys})`)

  /** Deletes, of the rows of `chosen`, as many as one batch may hold. */
  const batch = (table: string, key: string, chosen: RawBuilder<unknown>) =>
    sql`delete from ${sql.table(table)} where ${sql.ref(key)} ${among(sql`select ${sql.ref(key)} from ${chosen} ${atMostBatch} ${mine}`)}`

  const ranOut = (table: 'memories' | 'jtis' | 'erased', key: string) => (now: number) =>
    batch(table, key, sql`${sql.table(table)} where until <= ${now}`)

  /** Of a table whose ids follow its times: looks no further than the oldest rows, and needs no index on the time. */
  const aged = (table: 'events' | 'wrong_codes', keptMs: number, isFree = sql`true`) => {
    const oldest = among(sql`select id from ${sql.table(table)} order by id ${atMostBatch}`)
    return (now: number) =>
      batch(table, 'id', sql`${sql.table(table)} where id ${oldest} and at <= ${now - keptMs} and ${isFree}`)
  }

  const outlived = (state: NoticeState, keptMs: number) => (now: number) =>
    batch(
      'outbox',
      'event',
      sql`outbox where state = ${sql.lit(state)} and next_at <= ${now - keptMs} order by next_at`,
    )

  const batches: ((now: number) => RawBuilder<unknown>)[] = [
    ranOut('memories', 'key'),
    ranOut('jtis', 'id'),
    ranOut('erased', 'openid_hash'),
    aged('wrong_codes', HOUR_MS),
    (now) => batch('tickets', 'id', sql`tickets where expires_at <= ${now - TICKET_KEPT_MS}`),
    outlived('failed', EVENT_KEPT_MS),
    outlived('waiting', UNTOLD_KEPT_MS),
    aged('events', EVENT_KEPT_MS, sql`not exists (select event from outbox where event = events.id)`),
  ]

  async function sweep(now: number) {
    for (const next of batches) {
      let gone = BATCH
      while (gone >= BATCH) {
        gone = Number((await guard(next(now).execute(db))).numAffectedRows ?? 0)
        // Callbacks that came meanwhile go first: SQLite's promises alone would never let the event loop turn.
        await new Promise(setImmediate)
        await wrote?.(gone)
      }
    }
  }

  const takeUnionids = query((p: { now: number; again: number; limit: number }) =>
    db
      .updateTable('bindings')
      .set({ unionid_due: p.again })
      .where(
        sql<boolean>`${sql.ref('user')} ${among(sql`select ${sql.ref('user')} from bindings where unionid_due <= ${p.now} order by unionid_due limit ${p.limit} ${mine}`)}`,
      )
      .returning(['user', 'openid']),
  )

  const keepUnionid = query((p: Asked) =>
    db
      .updateTable('bindings')
      .set({ unionid: p.unionid, unionid_due: null })
      .where('user', '=', p.user)
      .where('openid', '=', p.openid),
  )

  const unionids: UnionidStore = {
    take: async (now, again, limit) => (await guard(write(() => takeUnionids({ now, again, limit })))).rows,
    async keep(asked) {
      await guard(
        write(function* () {
          for (const each of asked) yield* keepUnionid(each)
        }),
      )
    },
  }

  return {
    user: (identity) => guard(user(identity)),
    liveTicket: (identity, now) => guard(liveTicket(identity, now)),
    ticketsSince: (identity, since, state) => guard(ticketsSince(identity, since, state)),
    unionids,
    sweep,
    async ping() {
      await guard(sql`select 1`.execute(db))
    },
  }
}
