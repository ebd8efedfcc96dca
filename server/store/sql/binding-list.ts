/** Reads the pages of the list of all bindings. */
import { type RawBuilder, sql } from 'kysely'
import type { BindingFilter, BoundUser, WalkPosition } from '../binding-walk.ts'
import type { Plan } from '../plan.ts'
import { pageSize, runQuery } from './compiled-query.ts'
import { toBinding } from './rows.ts'
import type { Db } from './tx-settings.ts'
import type { UserRow } from './user-queries.ts'

type Row = Pick<
  UserRow,
  'tenant' | 'account' | 'user_id' | 'app_id' | 'openid' | 'unionid' | 'subscribed' | 'bound_at'
> &
  Pick<UserRow, 'event_time' | 'label' | 'lang'> & { user: number; user_version: number }

/**
 * Few bindings have the same openid or unionid, so the query first reads these bindings and then applies the other filters. Without
 * `materialized`, SQLite would use the index that has the order of the list, and read all bindings of the tenant. The columns of the users are
 * subqueries, because PostgreSQL executes them only for the rows of the page. With a join it may read all users.
 */
export function* listBindings(
  db: Db,
  filter: BindingFilter,
  after: WalkPosition | undefined,
  limit: number,
): Plan<BoundUser[]> {
  const found = rareCondition(filter)
  const page = sql`
    select * from ${found ? sql`found` : sql`bindings`} where ${sql.join(conditions(filter, after), sql` and `)}
    order by tenant, bound_at, "user" limit ${sql.lit(pageSize(limit))}`
  const rows = yield* runQuery<Row>(
    db,
    sql`${found ? sql`with found as materialized (select * from bindings where ${found}) ` : sql``}
      select page.*, ${userColumn('user_id')} as user_id, ${userColumn('version')} as user_version from (${page}) as page
      order by page.tenant, page.bound_at, page."user"`,
  )
  return rows.slice(0, limit).map(toBoundUser)
}

const userColumn = (name: 'user_id' | 'version') =>
  sql`(select ${sql.ref(name)} from users where users.id = page."user")`

function rareCondition({ openid, unionid }: BindingFilter): RawBuilder<unknown> | undefined {
  if (openid !== undefined) return sql`openid = ${openid}`
  // The planner uses the partial index only with this literal condition, which it cannot derive from a parameter.
  return unionid === undefined ? undefined : sql`unionid is not null and unionid = ${unionid}`
}

function conditions(filter: BindingFilter, after: WalkPosition | undefined): RawBuilder<unknown>[] {
  const { tenant, account, appId, unionid, boundSince, boundUntil } = filter
  const all: RawBuilder<unknown>[] = [sql`1 = 1`]
  if (tenant !== undefined) all.push(sql`tenant = ${tenant}`)
  if (account !== undefined) all.push(sql`account = ${account}`)
  if (appId !== undefined) all.push(sql`app_id = ${appId}`)
  if (unionid !== undefined) all.push(sql`unionid = ${unionid}`)
  if (boundUntil !== undefined) all.push(sql`bound_at < ${boundUntil}`)
  // Only one lower bound is passed. With two lower bounds, the database may start at the smaller one and read rows that it then
  // discards.
  if (after && tenant === undefined) {
    all.push(sql`(tenant, bound_at, "user") > (${after.tenant}, ${after.boundAt}, ${after.user})`)
  } else if (after && after.boundAt >= (boundSince ?? 0)) {
    return [...all, sql`(bound_at, "user") > (${after.boundAt}, ${after.user})`]
  }
  if (boundSince !== undefined) all.push(sql`bound_at >= ${boundSince}`)
  return all
}

const toBoundUser = (row: Row): BoundUser => ({
  id: row.user,
  identity: { tenant: row.tenant, account: row.account, userId: row.user_id },
  version: row.user_version,
  binding: toBinding(row)!,
})
