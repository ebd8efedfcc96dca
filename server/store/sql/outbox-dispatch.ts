/**
 * Dispatches events: moves each event from the outbox to the queue of each of its receivers. Only the instance that has the lease
 * does this.
 */
import { sql } from 'kysely'
import { type Dispatched, HOLD_MS, type Notice, type Outbox } from '../outbox.ts'
import type { Plan } from '../plan.ts'
import { compilable, query } from './compiled-query.ts'
import { jsonIds, jsonPairs } from './dialects.ts'
import type { Engine } from './engine.ts'
import type { AsStoreError, RunWrite } from './engine-errors.ts'
import type { Db } from './tx-settings.ts'

type Dispatch = Pick<Outbox, 'dispatch' | 'lease' | 'release'>

type DispatchDeps = {
  db: Db
  engine: Engine
  asStoreError: AsStoreError
  write: <T>(work: () => Plan<T>) => Promise<T>
  runWrite: RunWrite
}

// The name of the lease in its table.
const LEASE = 'webhook'

// Events that wait for their unionid do not count towards the limit of moved events. Otherwise many waiting events would delay the others.
const MAX_HELD = 500

export function createDispatch({ db, engine, asStoreError, write, runWrite }: DispatchDeps): Dispatch {
  const queries = createDispatchQueries(db, engine)

  /**
   * A conditional upsert. It succeeds for the present holder, after the lease has expired, and if the stored lease ends much
   * later than a new lease would. In the last case the clock of the holder was ahead, and the holder may have stopped. Two
   * simultaneous holders would only repeat work.
   */
  async function lease(holder: string, now: number, until: number): Promise<boolean> {
    const row = await db
      .insertInto('leases')
      .values({ name: LEASE, holder, until })
      .onConflict((conflict) =>
        conflict
          .column('name')
          .doUpdateSet({ holder, until })
          .where(({ or, eb }) =>
            or([
              eb('leases.holder', '=', holder),
              eb('leases.until', '<=', now),
              eb('leases.until', '>', until + (until - now)),
            ]),
          ),
      )
      .returning('name')
      .executeTakeFirst()
    return row !== undefined
  }

  return {
    dispatch: (now, route, limit) => asStoreError(write(() => dispatch(queries, now, route, limit))),
    lease: (holder, now, until) => runWrite(() => lease(holder, now, until)),
    async release(holder) {
      await asStoreError(db.deleteFrom('leases').where('name', '=', LEASE).where('holder', '=', holder).execute())
    },
  }
}

type DispatchQueries = ReturnType<typeof createDispatchQueries>

function createDispatchQueries(db: Db, engine: Engine) {
  // PostgreSQL looks up the events of an array. SQLite looks up the event of each pair; with this condition it would read all pairs
  // again for each event, which takes 110 ms for 512 events.
  const isOneOf = (ids: string) => (engine === 'postgres' ? sql`o.event ${jsonIds(engine, ids)}` : sql`true`)
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
      compilable(
        db,
        sql`
        insert into notices (event, "user", receiver, state, next_at)
        select o.event, o."user", pair.receiver, o.state, case when o.state = 'failed' then o.next_at else ${p.now} end
        from ${jsonPairs(engine, p.pairs)} as pair join outbox o on o.event = pair.event
        where ${isOneOf(p.ids)} on conflict do nothing`,
      ),
    ),
    remove: query((p: { ids: string }) =>
      compilable(db, sql`delete from outbox where event ${jsonIds(engine, p.ids)}`),
    ),
  }
}

/** This is a separate function and not a closure, for the reason given at `SqlTx`. */
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
