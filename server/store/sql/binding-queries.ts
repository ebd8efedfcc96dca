/** The queries that change bindings, in SQL for both engines. */
import { type Kysely, sql } from 'kysely'
import type { AskedBinding } from '../store.ts'
import { query } from './compiled-query.ts'
import type { Tables } from './tables.ts'

type OpenidMove = {
  user: number
  fromAppId: string
  fromOpenid: string
  appId: string
  openid: string
  at: number
}

export function createBindingQueries(db: Kysely<Tables>) {
  const update = db.updateTable('bindings')
  // WeChat's answer to an earlier request then no longer applies to the binding: see `AskedBinding`. The value becomes smaller,
  // so that a request that is due stays due.
  const outdateAnswer = { unionid_due: sql<number | null>`unionid_due - 1` }
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
      // `excluded` is the row of the insert. Without `excluded`, all values would be bound twice.
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
        .set({ subscribed: p.subscribed, event_time: p.eventTime, ...outdateAnswer })
        .where('user', '=', p.user)
        .where('subscribed', '!=', p.subscribed),
    ),
    setEventTime: query((p: { user: number; eventTime: number }) =>
      update.set({ event_time: p.eventTime, ...outdateAnswer }).where('user', '=', p.user),
    ),
    setFollowing: query((p: { user: number; openid: string } & AskedBinding) =>
      update
        .set({ subscribed: sql.lit(1) })
        .where('user', '=', p.user)
        .where('openid', '=', p.openid)
        .where('version', '=', p.version)
        .where('unionid_due', '=', p.due)
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
    /** WeChat did not know the old openid, so the server asks WeChat for the unionid again. */
    moveOpenid: query((p: OpenidMove) =>
      update
        .set({
          app_id: p.appId,
          openid: p.openid,
          unionid_due: sql<number | null>`case when unionid is null then ${p.at} else unionid_due end`,
        })
        .where('user', '=', p.user)
        .where('app_id', '=', p.fromAppId)
        .where('openid', '=', p.fromOpenid),
    ),
  }
}
