/** The queries of rows with a limited lifetime: hashes, counters, and the replies to deliveries. In SQL for both engines. */
import { type Kysely, sql } from 'kysely'
import { query } from './compiled-query.ts'
import type { Tables } from './tables.ts'

export function createExpiringRowQueries(db: Kysely<Tables>) {
  return {
    unfollowedAt: query((p: { hash: string }) =>
      db.selectFrom('unfollow_tombstones').select('event_time').where('openid_hash', '=', p.hash),
    ),
    recordUnfollow: query((p: { hash: string; eventTime: number; until: number }) =>
      db
        .insertInto('unfollow_tombstones')
        .values({ openid_hash: p.hash, event_time: p.eventTime, until: p.until })
        // An older unfollow that arrives late must not replace a newer one.
        .onConflict((conflict) =>
          conflict
            .column('openid_hash')
            .doUpdateSet({ event_time: p.eventTime, until: p.until })
            .where('unfollow_tombstones.event_time', '<', p.eventTime),
        ),
    ),
    wrongCodesSince: query((p: { hash: string; since: number }) =>
      db
        .selectFrom('wrong_codes')
        .where('openid_hash', '=', p.hash)
        .where('at', '>', p.since)
        .select(sql<number>`count(*)`.as('n')),
    ),
    addWrongCode: query((p: { hash: string; at: number }) =>
      db.insertInto('wrong_codes').values({ openid_hash: p.hash, at: p.at }),
    ),
    findDelivery: query((p: { key: string }) => db.selectFrom('deliveries').select('text').where('key', '=', p.key)),
    recordDelivery: query((p: { key: string; text: string | null; until: number; user: number | null }) =>
      db.insertInto('deliveries').values({ key: p.key, text: p.text, until: p.until, user: p.user }),
    ),
    rateWindow: query((p: { scope: string; now: number }) =>
      db.selectFrom('rate_windows').selectAll().where('scope', '=', p.scope).where('until', '>', p.now),
    ),
    // One statement checks the limit and counts, so that simultaneous attempts on several instances cannot exceed the limit.
    countAttempt: query((p: { scope: string; limit: number; until: number; now: number }) =>
      db
        .insertInto('rate_windows')
        .values({ scope: p.scope, until: p.until, count: 1 })
        .onConflict((conflict) =>
          conflict
            .column('scope')
            .doUpdateSet({
              count: sql`case when rate_windows.until <= ${p.now} then 1 else rate_windows.count + 1 end`,
              until: sql`case when rate_windows.until <= ${p.now} then excluded.until else rate_windows.until end`,
            })
            .where(sql<boolean>`rate_windows.until <= ${p.now} or rate_windows.count < ${p.limit}`),
        ),
    ),
    consumeJti: query((p: { jti: string; until: number }) =>
      db
        .insertInto('jtis')
        .values({ jti: p.jti, until: p.until })
        .onConflict((conflict) => conflict.doNothing()),
    ),
  }
}
