/**
 * The feed of events. Every reader gets every event of its tenant, and the events of each user in order.
 *
 * Ids cannot be positions. PostgreSQL assigns an id when a row is inserted, and the transactions of several instances may commit in
 * another order. A reader that has seen id 6 would skip id 5, which is committed later. The ids of transactions
 * (`pg_snapshot_xmin`) cannot be positions either: one long transaction of any program in the cluster would stop the feed, and a
 * dump that is restored elsewhere has ids above those of its new cluster. So an event gets its position after its commit:
 *
 * 1. A reader at the end of the feed looks for committed events without a position.
 * 2. It locks the tenant's row of `feed_heads`, gives these events the next positions in the order of their ids, and commits. The
 *    lock allows one writer at a time, so positions become visible in their order.
 * 3. It reads the events after its own position.
 *
 * A user's events are inserted under the user's lock, each after the commit of the previous one. Their ids are therefore in order,
 * and a snapshot that shows an event also shows the earlier events of the user. A change therefore takes no extra time, and a tenant
 * without a
 * reader has no positions.
 *
 * What could go wrong: events may expire before a reader has read them. The sweep records their position (`noteExpired`) before it
 * deletes them, and the reader gets 'gone'. A store restored from a backup assigns some positions again. The reader's position then
 * belongs to another event, or is beyond the head, and the reader gets 'gone', too.
 */
import { sql } from 'kysely'
import type { EventFeed, FeedPage, FeedPosition, FeedQuery } from '../event-feed.ts'
import type { Plan } from '../plan.ts'
import { pageSize, query, runQuery } from './compiled-query.ts'
import { type BindingEventRow, toBindingEvent, toUid } from './event-rows.ts'
import type { Db } from './tx-settings.ts'
import { createUserByIdentity } from './user-queries.ts'

// With this number a statement finishes within its time limit even on a busy machine.
const PUBLISHED_AT_ONCE = 1000

type RunPlan = <T>(plan: () => Plan<T>) => Promise<T>

/** `inTransaction` runs the plan in a separate transaction, because a longer transaction would hold the lock too long. */
export function createEventFeed(db: Db, read: RunPlan, inTransaction: RunPlan): EventFeed {
  const queries = createFeedQueries(db)
  const userByIdentity = createUserByIdentity(db)

  function* findUser(identity: FeedQuery['user']): Plan<number | undefined> {
    if (identity === undefined) return undefined
    return (yield* userByIdentity(identity)).rows[0]?.id ?? 0
  }

  function* isUnpublished(tenant: string, user: number | undefined): Plan<boolean> {
    const { rows } = yield* user === undefined ? queries.unpublished({ tenant }) : queries.unpublishedOf({ user })
    return rows.length > 0
  }

  function* publish(tenant: string, user: number | undefined): Plan<void> {
    const base = (yield* queries.lockHead({ tenant })).rows[0]!.position
    const { changes } = yield* user === undefined
      ? queries.publish({ tenant, base })
      : queries.publishOf({ user, base })
    yield* queries.advanceHead({ tenant, count: changes })
  }

  function* isGone(tenant: string, after: FeedPosition): Plan<boolean> {
    const head = (yield* queries.head({ tenant })).rows[0] ?? { position: 0, lost: 0 }
    if (after.position < head.lost || after.position > head.position) return true
    if (after.uid === null) return false
    const uid = yield* uidAt(tenant, after.position)
    // Undefined if the event was erased with its user.
    return uid !== undefined && uid !== after.uid
  }

  function* uidAt(tenant: string, position: number): Plan<string | undefined> {
    const [row] = (yield* queries.eventAt({ tenant, position })).rows
    return row && toUid(row)
  }

  function* readPage({ tenant, after, limit }: FeedQuery, user: number | undefined): Plan<FeedPage | 'gone'> {
    // The head is read before the events, so that the next statement sees every position up to the head.
    const head = (yield* queries.head({ tenant })).rows[0]?.position ?? 0
    const rows = yield* eventsAfter(db, tenant, user, after?.position ?? 0, limit + 1)
    // This position is read after the events, because the sweep records a position before it deletes the event.
    if (after && (yield* isGone(tenant, after))) return 'gone'
    const shown = rows.slice(0, limit)
    const last = shown.at(-1)
    const events = shown.map((row) => toBindingEvent(row.id, row))
    const hasMore = rows.length > limit
    if (last && (hasMore || last.position >= head)) {
      return { events, next: { position: last.position, uid: toUid(last) }, hasMore }
    }
    return { events, next: { position: head, uid: (yield* uidAt(tenant, head)) ?? null }, hasMore }
  }

  return async (feedQuery) => {
    const { tenant } = feedQuery
    const user = await read(() => findUser(feedQuery.user))
    for (;;) {
      const page = await read(() => readPage(feedQuery, user))
      if (page === 'gone' || page.hasMore || !(await read(() => isUnpublished(tenant, user)))) return page
      await inTransaction(() => publish(tenant, user))
    }
  }
}

function createFeedQueries(db: Db) {
  const events = db.selectFrom('events').select('id')
  const heads = db.updateTable('feed_heads')
  const publish = (base: number, unpublished: ReturnType<typeof unpublishedOfTenant>) =>
    db
      .updateTable('events')
      .from(
        db
          .selectFrom(unpublished.orderBy('id').limit(sql.lit(PUBLISHED_AT_ONCE)).as('oldest'))
          .select(['oldest.id', sql<number>`row_number() over (order by oldest.id)`.as('number')])
          .as('numbered'),
      )
      .set({ position: sql<number>`${base} + numbered.number` })
      .whereRef('events.id', '=', 'numbered.id')
  const unpublishedOfTenant = (tenant: string) => events.where('tenant', '=', tenant).where('position', 'is', null)
  // The `+` prevents PostgreSQL from using the index of the unpublished events of all users. With statistics from a time when nearly all events
  // were published, it would read this index instead of the few events of the user.
  const unpublishedOfUser = (user: number) => events.where('user', '=', user).where(sql<boolean>`+position is null`)
  return {
    head: query((p: { tenant: string }) =>
      db.selectFrom('feed_heads').select(['position', 'lost']).where('tenant', '=', p.tenant),
    ),
    /** An update that changes nothing still locks the row. */
    lockHead: query((p: { tenant: string }) =>
      db
        .insertInto('feed_heads')
        .values({ tenant: p.tenant, position: 0, lost: 0 })
        .onConflict((conflict) => conflict.column('tenant').doUpdateSet({ tenant: p.tenant }))
        .returning('position'),
    ),
    advanceHead: query((p: { tenant: string; count: number }) =>
      heads.set({ position: sql<number>`position + ${p.count}` }).where('tenant', '=', p.tenant),
    ),
    unpublished: query((p: { tenant: string }) => unpublishedOfTenant(p.tenant).limit(1)),
    unpublishedOf: query((p: { user: number }) => unpublishedOfUser(p.user).limit(1)),
    publish: query((p: { tenant: string; base: number }) => publish(p.base, unpublishedOfTenant(p.tenant))),
    publishOf: query((p: { user: number; base: number }) => publish(p.base, unpublishedOfUser(p.user))),
    eventAt: query((p: { tenant: string; position: number }) =>
      db
        .selectFrom('events')
        .select(['id', 'uid'])
        .where('tenant', '=', p.tenant)
        .where('position', 'is not', null)
        .where('position', '=', p.position),
    ),
  }
}

type Row = BindingEventRow & { id: number; position: number }

/** Joins a binding only if this event or an earlier event created it, so that an event never gets the openid of a later binding. */
function eventsAfter(db: Db, tenant: string, user: number | undefined, position: number, limit: number): Plan<Row[]> {
  const whose = user === undefined ? sql`tenant = ${tenant}` : sql`"user" = ${user}`
  const page = sql`
    select * from events where ${whose} and position is not null and position > ${position}
    order by position limit ${sql.lit(pageSize(limit))}`
  return runQuery<Row>(
    db,
    sql`select page.id, page.uid, page.position, page.type, page.reason, page.version, page.at,
      users.tenant, users.account, users.user_id, bindings.app_id, bindings.openid, bindings.unionid
    from (${page}) as page inner join users on users.id = page."user"
    left join bindings on bindings."user" = page."user" and bindings.version <= page.version order by page.position`,
  )
}
