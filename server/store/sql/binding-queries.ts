/** The queries that change bindings, in SQL for both engines. */
import { type Kysely, sql } from 'kysely'
import { query } from './compiled-query.ts'
import type { Tables } from './tables.ts'

export function createBindingQueries(db: Kysely<Tables>) {
  const update = db.updateTable('bindings')
  return {
    bind: query((p: Tables['bindings']) => {
      const row = {
        user: p.user,
        tenant: p.tenant,
        account: p.account,
        app_id: p.app_id,
        openid: p.openid,
        unionid: p.unionid,
        unionid_due: p.unionid_due,
        subscribed: p.subscribed,
        bound_at: p.bound_at,
        event_time: p.event_time,
        label: p.label,
        lang: p.lang,
        version: p.version,
      }
      // `excluded` is the row of the insert. Without it all values would be bound twice.
      const excluded = Object.keys(row).map((name) => [name, sql.ref(`excluded.${name}`)])
      return db
        .insertInto('bindings')
        .values(row)
        .onConflict((conflict) => conflict.column('user').doUpdateSet(Object.fromEntries(excluded)))
    }),
    unbind: query((p: { user: number }) => db.deleteFrom('bindings').where('user', '=', p.user)),
    // These queries write only rows that differ, so the number of rows shows whether the binding has changed.
    setSubscribed: query((p: { user: number; subscribed: number; eventTime: number }) =>
      update
        .set({ subscribed: p.subscribed, event_time: p.eventTime })
        .where('user', '=', p.user)
        .where('subscribed', '!=', p.subscribed),
    ),
    setEventTime: query((p: { user: number; eventTime: number }) =>
      update.set({ event_time: p.eventTime }).where('user', '=', p.user),
    ),
    setFollowing: query((p: { user: number; openid: string; eventTime: number }) =>
      update
        .set({ subscribed: sql.lit(1) })
        .where('user', '=', p.user)
        .where('openid', '=', p.openid)
        .where('event_time', '=', p.eventTime)
        .where('subscribed', '=', sql.lit(0)),
    ),
    setUnionid: query((p: { user: number; openid: string; unionid: string }) =>
      update
        .set({ unionid: p.unionid, unionid_due: null })
        .where('user', '=', p.user)
        .where('openid', '=', p.openid)
        .where(({ or, eb }) => or([eb('unionid', 'is', null), eb('unionid', '!=', p.unionid)])),
    ),
    /** Does not change `unionid`, which stays null if the account has none. */
    endUnionidRequest: query((p: { user: number; openid: string }) =>
      update.set({ unionid_due: null }).where('user', '=', p.user).where('openid', '=', p.openid),
    ),
    moveOpenid: query((p: { user: number; fromAppId: string; fromOpenid: string; appId: string; openid: string }) =>
      update
        .set({ app_id: p.appId, openid: p.openid })
        .where('user', '=', p.user)
        .where('app_id', '=', p.fromAppId)
        .where('openid', '=', p.fromOpenid),
    ),
  }
}
