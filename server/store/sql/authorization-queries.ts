/** The queries of web authorizations, in SQL for both engines. */
import { type Kysely, sql } from 'kysely'
import { query } from './compiled-query.ts'
import type { Tables } from './tables.ts'

type NewRow = Pick<Tables['authorizations'], 'user' | 'app_id' | 'state_hash' | 'return_url' | 'created_at' | 'until'>

export function createAuthorizationQueries(db: Kysely<Tables>) {
  const authorizations = db.selectFrom('authorizations').selectAll()
  const update = db.updateTable('authorizations')
  return {
    authorizationById: query((p: { id: number }) => authorizations.where('id', '=', p.id)),
    authorizationByState: query((p: { appId: string; hash: string }) =>
      authorizations.where('state_hash', '=', p.hash).where('app_id', '=', p.appId),
    ),
    authorizationByProof: query((p: { appId: string; hash: string }) =>
      // The planner uses the partial index only with this literal condition, which it cannot derive from a parameter.
      authorizations.where('proof_hash', 'is not', null).where('proof_hash', '=', p.hash).where('app_id', '=', p.appId),
    ),
    authorizationsBy: query((p: { appId: string; openid: string }) =>
      authorizations.where('openid', 'is not', null).where('openid', '=', p.openid).where('app_id', '=', p.appId),
    ),
    addAuthorization: query((p: NewRow) =>
      db.insertInto('authorizations').values({
        user: p.user,
        app_id: p.app_id,
        state: 'requested',
        state_hash: p.state_hash,
        return_url: p.return_url,
        created_at: p.created_at,
        until: p.until,
        proof_hash: null,
        openid: null,
      }),
    ),
    // Each of these queries changes a row only if the row is in the previous state, so that WeChat's `state` and a proof are
    // accepted only once.
    exchange: query((p: { id: number }) =>
      update.set({ state: 'exchanging' }).where('id', '=', p.id).where('state', '=', sql.lit('requested')),
    ),
    prove: query((p: { id: number; hash: string; openid: string; until: number }) =>
      update
        .set({ state: 'proven', proof_hash: p.hash, openid: p.openid, until: p.until })
        .where('id', '=', p.id)
        .where('state', '=', sql.lit('exchanging')),
    ),
    closeAuthorization: query((p: { id: number }) =>
      update
        .set({ state: 'closed', proof_hash: null, openid: null })
        .where('id', '=', p.id)
        .where('state', '!=', sql.lit('closed')),
    ),
    closeAuthorizations: query((p: { user: number }) =>
      update
        .set({ state: 'closed', proof_hash: null, openid: null })
        .where('user', '=', p.user)
        .where('state', '!=', sql.lit('closed')),
    ),
    deleteAuthorizations: query((p: { user: number }) => db.deleteFrom('authorizations').where('user', '=', p.user)),
  }
}
