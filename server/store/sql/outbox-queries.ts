/** The outbox's queries, in SQL for both engines. */
import { type RawBuilder, sql } from 'kysely'
import {
  type Dispatched,
  HOLD_MS,
  type Notice,
  type NoticeFilter,
  type NoticeState,
  type Outbox,
  type Room,
} from '../outbox.ts'
import { type Plan, runPlanAsync } from '../plan.ts'
import { query, runOn } from './compiled-query.ts'
import { jsonIds, jsonPairs } from './dialects.ts'
import type { Engine } from './engine.ts'
import type { AsStoreError, RunWrite } from './engine-errors.ts'
import { createReceiverStates } from './receiver-states.ts'
import type { Db } from './tx-settings.ts'

// The lease of the instance that moves events to the queues of the receivers.
const LEASE = 'webhook'

// Events that wait for their unionid are read in addition to those that are moved. Otherwise, when many wait, they delay the others.
const MAX_HELD = 500

type OutboxOptions = {
  db: Db
  engine: Engine
  asStoreError: AsStoreError
  /** Runs a plan in a transaction. */
  write: <T>(work: () => Plan<T>) => Promise<T>
  /** SQLite counts the writes, and delays them while the log is truncated. */
  runWrite?: RunWrite
}

export function createOutbox(options: OutboxOptions): Outbox {
  const { db, engine, asStoreError, write, runWrite = (run) => asStoreError(run()) } = options
  const dispatching = createDispatchQueries(db, engine)
  const claimDue = engine === 'postgres' ? createClaimOnPostgres(db) : createClaimOnSqlite(db)
  const noticesById = query((p: { ids: string }) =>
    selectNotices(db)
      .where(sql<boolean>`notices.id ${jsonIds(engine, p.ids)}`)
      .orderBy('notices.id'),
  )

  const remove = query((p: { ids: string }) => ({
    compile: () => sql`delete from notices where id ${jsonIds(engine, p.ids)}`.compile(db),
  }))

  async function claim(now: number, until: number, rooms: Room[]): Promise<Notice[]> {
    if (rooms.length === 0) return []
    const claimed = await runWrite(() => runPlanAsync(claimDue({ now, until, rooms }), runOn(db)))
    if (claimed.rows.length === 0) return []
    const ids = claimed.rows.map(({ id }) => id)
    const { rows } = await asStoreError(runPlanAsync(noticesById({ ids: JSON.stringify(ids) }), runOn(db)))
    return rows.map(toNotice)
  }

  /** Sets `next_at` of a failed notice to the time of its last attempt, from which the sweep counts the notice's age. */
  const setFailed = (id: number, failure: Notice['failure'], more: { next_at: number } | { state: 'failed' }) =>
    runWrite(async () => {
      const failed = { attempts: sql<number>`attempts + 1`, status: failure?.status, error: failure?.error }
      await db
        .updateTable('notices')
        .set({ ...failed, ...more })
        .where('id', '=', id)
        .execute()
    })

  async function list(state: NoticeState, limit: number): Promise<Notice[]> {
    const queued = selectNotices(db).where('notices.state', '=', state).orderBy('notices.id').limit(limit)
    const unmoved = selectUnmoved(db).where('outbox.state', '=', state).orderBy('outbox.event').limit(limit)
    const rows = [...(await queued.execute()), ...(await unmoved.execute())]
    return rows.slice(0, limit).map(toNotice)
  }

  async function lengths() {
    const count = (state: NoticeState) => sql<number>`sum(case when state = ${sql.lit(state)} then 1 else 0 end)`
    const counts = [count('waiting').as('waiting'), count('failed').as('failed')] as const
    const rows = await db.selectFrom('notices').select('receiver').select(counts).groupBy('receiver').execute()
    return rows.map((row) => ({ ...row, waiting: Number(row.waiting), failed: Number(row.failed) }))
  }

  async function oldestAt(): Promise<number | undefined> {
    const ats = await Promise.all([
      db
        .selectFrom('outbox')
        .innerJoin('events', 'events.id', 'outbox.event')
        .select('events.at')
        .where('outbox.state', '=', 'waiting')
        .orderBy('outbox.event')
        .limit(1)
        .executeTakeFirst(),
      db
        .selectFrom('notices')
        .innerJoin('events', 'events.id', 'notices.event')
        .leftJoin('webhook_receivers as r', 'r.name', 'notices.receiver')
        .select('events.at')
        .where('notices.state', '=', 'waiting')
        .where(({ or, eb }) => or([eb('r.status', 'is', null), eb('r.status', '=', 'on')]))
        .orderBy('notices.id')
        .limit(1)
        .executeTakeFirst(),
    ])
    const found = ats.flatMap((row) => (row ? [row.at] : []))
    return found.length === 0 ? undefined : Math.min(...found)
  }

  async function makeDue(now: number, state: NoticeState, { id, receiver }: NoticeFilter): Promise<number> {
    // `retry` only makes the next attempt earlier, so a waiting notice keeps its number of attempts.
    const due = state === 'failed' ? { state: 'waiting' as const, next_at: now, attempts: 0 } : { next_at: now }
    let update = db.updateTable('notices').set(due).where('state', '=', sql.lit(state))
    if (id !== undefined) update = update.where('id', '=', id)
    if (receiver !== undefined) update = update.where('receiver', '=', receiver)
    return Number((await update.executeTakeFirst()).numUpdatedRows)
  }

  async function retry(now: number, filter: NoticeFilter): Promise<number> {
    const count = await makeDue(now, 'waiting', filter)
    let resume = db.updateTable('webhook_receivers').set({ paused_until: null }).where('paused_until', 'is not', null)
    if (filter.receiver !== undefined) resume = resume.where('name', '=', filter.receiver)
    await resume.execute()
    return count
  }

  /** A conditional upsert, which writes only for the present holder or after the lease has expired. */
  async function lease(holder: string, now: number, until: number): Promise<boolean> {
    const row = await db
      .insertInto('leases')
      .values({ name: LEASE, holder, until })
      .onConflict((conflict) =>
        conflict
          .column('name')
          .doUpdateSet({ holder, until })
          .where(({ or, eb }) => or([eb('leases.holder', '=', holder), eb('leases.until', '<=', now)])),
      )
      .returning('name')
      .executeTakeFirst()
    return row !== undefined
  }

  return {
    ...createReceiverStates(db, asStoreError, runWrite),
    dispatch: (now, route, limit) => asStoreError(write(() => dispatch(dispatching, now, route, limit))),
    claim,
    async delivered(ids) {
      await runWrite(() => runPlanAsync(remove({ ids: JSON.stringify(ids) }), runOn(db)))
    },
    async unclaim(id, now) {
      await runWrite(() => db.updateTable('notices').set({ next_at: now }).where('id', '=', id).execute())
    },
    retryAt: (id, at, failure) => setFailed(id, failure, { next_at: at }),
    giveUp: (id, failure) => setFailed(id, failure, { state: 'failed' }),
    list: (state, limit) => asStoreError(list(state, limit)),
    lengths: () => asStoreError(lengths()),
    oldestAt: () => asStoreError(oldestAt()),
    replay: (now, filter = {}) => runWrite(() => makeDue(now, 'failed', filter)),
    retry: (now, filter = {}) => runWrite(() => retry(now, filter)),
    lease: (holder, now, until) => runWrite(() => lease(holder, now, until)),
    async release(holder) {
      await asStoreError(db.deleteFrom('leases').where('name', '=', LEASE).where('holder', '=', holder).execute())
    },
  }
}

type Claim = (given: { now: number; until: number; rooms: Room[] }) => Plan<{ rows: { id: number }[] }>

/** The first due notices of a receiver. An earlier notice of the same user must have its outcome before the next one is taken. */
const firstDue = (receiver: unknown, now: unknown, room: unknown, more = sql``) => sql`
  select n.id from notices n
  where n.receiver = ${receiver} and n.state = 'waiting' and n.next_at <= ${now} and not exists (
    select 1 from notices earlier
    where earlier.receiver = n.receiver and earlier."user" = n."user" and earlier.event < n.event and earlier.state = 'waiting'
  )
  order by n.next_at, n.id limit ${room} ${more}`

/**
 * PostgreSQL plans a statement at each run. A lateral join has one subquery to plan; one for each of 50 receivers took ten times as
 * long as the claim itself. Several instances claim at the same time, so rows that another one has locked are skipped.
 */
function createClaimOnPostgres(db: Db): Claim {
  const claim = query((p: { now: number; until: number; rooms: string }) => {
    const update = sql<{ id: number }>`
      update notices set next_at = ${p.until} where id = any(array(
        select first.id from json_to_recordset(${p.rooms}::json) as given(receiver text, room bigint)
        cross join lateral (${firstDue(sql`given.receiver`, p.now, sql`given.room`, sql`for update skip locked`)}) as first
      )) returning id`
    return { compile: () => update.compile(db) }
  })
  return ({ rooms, ...given }) => claim({ ...given, rooms: JSON.stringify(rooms) })
}

/** SQLite has no lateral join, so each receiver has its own subquery. The text depends only on the number of receivers. */
function createClaimOnSqlite(db: Db): Claim {
  type Given = { now: number; until: number } & Record<string, unknown>
  const compile = (count: number) =>
    query((p: Given) => {
      const firstOf = (_: unknown, i: number) =>
        sql`select * from (${firstDue(p[`receiver${i}`], p.now, p[`room${i}`])})`
      const candidates = sql.join(Array.from({ length: count }, firstOf), sql` union all `)
      const update = sql<{ id: number }>`
        update notices set next_at = ${p.until} where id in (${candidates}) returning id`
      return { compile: () => update.compile(db) }
    })
  const byCount = new Map<number, ReturnType<typeof compile>>()
  return ({ rooms, ...given }) => {
    const claim = byCount.get(rooms.length) ?? compile(rooms.length)
    byCount.set(rooms.length, claim)
    const parameters: Given = given
    for (const [i, { receiver, room }] of rooms.entries()) {
      parameters[`receiver${i}`] = receiver
      parameters[`room${i}`] = room
    }
    return claim(parameters)
  }
}

type DispatchQueries = ReturnType<typeof createDispatchQueries>

function createDispatchQueries(db: Db, engine: Engine) {
  const compilable = <Row>(raw: RawBuilder<Row>) => ({ compile: () => raw.compile(db) })
  return {
    oldest: query((p: { limit: number }) =>
      db
        .selectFrom('outbox')
        .innerJoin('events', 'events.id', 'outbox.event')
        .leftJoin('bindings', (join) =>
          join.onRef('bindings.user', '=', 'events.user').onRef('bindings.version', '=', 'events.version'),
        )
        .select(['outbox.event', 'outbox.user', 'outbox.tenant', 'events.type', 'events.at', 'bindings.unionid_due'])
        .orderBy('outbox.event')
        .limit(p.limit),
    ),
    // `on conflict` is needed, because an instance whose lease has expired may move the same events as the next holder.
    addNotices: query((p: { ids: string; pairs: string; now: number }) =>
      compilable(sql`
        insert into notices (event, "user", receiver, state, next_at)
        select o.event, o."user", pair.receiver, o.state, case when o.state = 'failed' then o.next_at else ${p.now} end
        from ${jsonPairs(engine, p.pairs)} as pair join outbox o on o.event = pair.event
        where o.event ${jsonIds(engine, p.ids)} on conflict do nothing`),
    ),
    remove: query((p: { ids: string }) => compilable(sql`delete from outbox where event ${jsonIds(engine, p.ids)}`)),
  }
}

/** A new function, not a closure, for the reason given at `SqlTx`. */
function* dispatch(
  queries: DispatchQueries,
  now: number,
  route: (tenant: string, type: Notice['type']) => string[],
  limit: number,
): Plan<Dispatched> {
  const { rows } = yield* queries.oldest({ limit: limit + MAX_HELD })
  const heldUsers = new Set<number>()
  let heldUntil: number | undefined
  const moved: number[] = []
  const pairs: [event: number, receiver: string][] = []
  for (const { event, user, tenant, type, at, unionid_due } of rows) {
    if (moved.length === limit) break
    const until = at + HOLD_MS
    const isHeld = heldUsers.has(user) || (type === 'bound' && unionid_due !== null && until > now)
    if (isHeld) {
      heldUsers.add(user)
      heldUntil = Math.min(heldUntil ?? until, until)
    } else {
      moved.push(event)
      for (const receiver of route(tenant, type)) pairs.push([event, receiver])
    }
  }
  const ids = JSON.stringify(moved)
  if (pairs.length > 0) yield* queries.addNotices({ ids, pairs: JSON.stringify(pairs), now })
  if (moved.length > 0) yield* queries.remove({ ids })
  const receivers = pairs.map(([, receiver]) => receiver)
  return { receivers, isMore: moved.length === limit, heldUntil }
}

/** Joins a binding only if this event or an earlier one has made it, so that an event never gets the openid of a later binding. */
const selectNotices = (db: Db) =>
  db
    .selectFrom('notices')
    .innerJoin('events', 'events.id', 'notices.event')
    .innerJoin('users', 'users.id', 'events.user')
    .leftJoin('bindings', (join) =>
      join.onRef('bindings.user', '=', 'events.user').onRef('bindings.version', '<=', 'events.version'),
    )
    .select([
      'notices.id',
      'notices.receiver',
      'notices.next_at',
      'notices.attempts',
      'notices.status',
      'notices.error',
    ])
    .select(payloadColumns)

/** Events that are still in the outbox. Their id is that of the event, and they have no receiver yet. */
const selectUnmoved = (db: Db) =>
  db
    .selectFrom('outbox')
    .innerJoin('events', 'events.id', 'outbox.event')
    .innerJoin('users', 'users.id', 'events.user')
    .leftJoin('bindings', (join) =>
      join.onRef('bindings.user', '=', 'events.user').onRef('bindings.version', '<=', 'events.version'),
    )
    .select(['outbox.next_at', 'outbox.attempts', 'outbox.event as id'])
    .select([sql.lit(null).as('receiver'), sql.lit(null).as('status'), sql.lit(null).as('error')])
    .select(payloadColumns)

const payloadColumns = [
  'events.id as event',
  'events.uid',
  'events.type',
  'events.reason',
  'events.version',
  'events.at',
  'users.tenant',
  'users.account',
  'users.user_id',
  'bindings.app_id',
  'bindings.openid',
  'bindings.unionid',
] as const

type Row = Awaited<ReturnType<ReturnType<typeof selectNotices | typeof selectUnmoved>['execute']>>[number]

const toNotice = (row: Row): Notice => ({
  id: row.id,
  uid: row.uid ?? `evt_${row.event}`,
  receiver: row.receiver,
  identity: { tenant: row.tenant, account: row.account, userId: row.user_id },
  type: row.type,
  reason: row.reason,
  version: row.version,
  at: row.at,
  appId: row.app_id,
  openid: row.openid,
  unionid: row.unionid,
  attempts: row.attempts,
  nextAt: row.next_at,
  failure: row.status === null && row.error === null ? null : { status: row.status, error: row.error },
})
