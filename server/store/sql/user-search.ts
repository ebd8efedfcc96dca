/**
 * Searches for users, in SQL for both engines. A search is a sequence of steps; each step looks for the text in one kind of id and
 * has an index in the order of its results, so a page costs the same whatever the number of users. The position of a user (the page's
 * cursor) is the number of the step and the sort key within the step.
 */
import { type RawBuilder, sql } from 'kysely'
import type { FoundUser, PlacedUser, UserPlace, UserQuery } from '../console-store.ts'
import type { Plan } from '../plan.ts'
import { pageSize, runQuery } from './compiled-query.ts'
import type { Engine } from './engine.ts'
import type { Db } from './tx-settings.ts'

type Row = {
  id: number
  tenant: string
  account: string
  user_id: string
  openid: string | null
  subscribed: number | null
  bound_at: number | null
  label: string | null
}

/** `key`: the place of the last user of the previous page, without the step. */
type Find = (key: (string | number)[] | undefined, limit: number) => Plan<PlacedUser[]>

export function* searchUsers(
  db: Db,
  engine: Engine,
  query: UserQuery,
  after: UserPlace | undefined,
  limit: number,
): Plan<PlacedUser[]> {
  const steps = query.text === '' ? [newestBindings(db, query)] : stepsFor(db, engine, query)
  const [firstStep = 0, ...key] = after ?? []
  const found: PlacedUser[] = []
  for (const [index, find] of steps.entries()) {
    if (index < firstStep || found.length >= limit) continue
    const isFirst = after !== undefined && index === firstStep
    const page = yield* find(isFirst ? key : undefined, limit - found.length)
    found.push(...page.map((user) => ({ ...user, place: [index, ...user.place.slice(1)] as UserPlace })))
  }
  return found
}

const stepsFor = (db: Db, engine: Engine, query: UserQuery): Find[] => [
  byWechatId(db, query, 'openid'),
  byWechatId(db, query, 'unionid'),
  byNames(db, query),
  byUserId(db, engine, query),
  byAccount(db, query),
]

const columns = sql`users.id, users.tenant, users.account, users.user_id, bindings.openid, bindings.subscribed, bindings.bound_at, bindings.label`

const fromUsers = sql`select ${columns} from users left join bindings on bindings."user" = users.id`

/** The rows of erased users have no tenant. */
const isKnown = sql`users.tenant > '' and users.erased = 0`

const ofTenant = ({ tenant }: UserQuery, column: RawBuilder<unknown>) =>
  tenant === undefined ? sql`1 = 1` : sql`${column} = ${tenant}`

/** Jumps in the index from one tenant to the next, so the number of users does not matter. Erased users have an empty tenant. */
export function* findTenants(db: Db): Plan<string[]> {
  const rows = yield* runQuery<{ tenant: string }>(
    db,
    sql`with recursive found(tenant) as (
      select min(tenant) from users where tenant > ''
      union all select (select min(tenant) from users where tenant > found.tenant) from found where found.tenant is not null)
      select tenant from found where tenant is not null order by tenant`,
  )
  return rows.map(({ tenant }) => tenant)
}

const tenants = (db: Db, { tenant }: UserQuery) => (tenant === undefined ? findTenants(db) : only(tenant))

// biome-ignore lint/correctness/useYield: a plan without a statement
function* only(tenant: string): Plan<string[]> {
  return [tenant]
}

const limited = (limit: number) => sql`limit ${sql.lit(pageSize(limit))}`

/** Selects a page of bindings first, then joins their users. `page` has the columns of `bindings`. */
const withUsers = (page: RawBuilder<unknown>, order: RawBuilder<unknown>) =>
  sql`select users.id, users.tenant, users.account, users.user_id, page.openid, page.subscribed, page.bound_at, page.label
    from (${page}) as page join users on users.id = page."user" order by ${order}`

/** The index is sorted within each tenant, so this reads one page for each tenant and merges them. */
function newestBindings(db: Db, query: UserQuery): Find {
  return function* (key, limit) {
    const [boundAt, user] = key ?? []
    const rest = key ? sql`(bound_at, "user") < (${boundAt}, ${user})` : sql`1 = 1`
    const rows: Row[] = []
    for (const tenant of yield* tenants(db, query)) {
      const page = sql`select * from bindings where tenant = ${tenant} and ${rest} order by bound_at desc, "user" desc ${limited(limit)}`
      rows.push(...(yield* runQuery<Row>(db, withUsers(page, sql`page.bound_at desc, page."user" desc`))))
    }
    return rows
      .sort((a, b) => b.bound_at! - a.bound_at! || b.id - a.id)
      .slice(0, limit)
      .map((row) => toPlaced(row, 'binding', row.bound_at!, row.id))
  }
}

/** Few bindings have the same id, so they are all read and then sorted. */
function byWechatId(db: Db, query: UserQuery, by: 'openid' | 'unionid'): Find {
  const isOne = by === 'openid' ? sql`openid = ${query.text}` : sql`unionid is not null and unionid = ${query.text}`
  return function* (key, limit) {
    const page = sql`select * from (select * from bindings where ${isOne} limit 1001) as few
      where "user" > ${key?.[0] ?? 0} and ${ofTenant(query, sql`tenant`)} order by "user" ${limited(limit)}`
    const rows = yield* runQuery<Row>(db, withUsers(page, sql`page."user"`))
    return rows.slice(0, limit).map((row) => toPlaced(row, by, row.id))
  }
}

/** Reads the text as `ACCOUNT USER_ID`. An account and a user id together identify at most one user in each tenant. */
function byNames(db: Db, query: UserQuery): Find {
  const [, account, userId] = /^(\S+)\s+(\S.*)$/.exec(query.text) ?? []
  return function* (key, limit) {
    if (account === undefined || key) return []
    const rows: Row[] = []
    for (const tenant of yield* tenants(db, query)) {
      const named = sql`users.tenant = ${tenant} and users.account = ${account} and users.user_id = ${userId} and users.erased = 0`
      rows.push(...(yield* runQuery<Row>(db, sql`${fromUsers} where ${named}`)))
    }
    return rows.slice(0, limit).map((row) => toPlaced(row, 'userId', row.id))
  }
}

/** The user ids that begin with the text. U+10FFFF comes after every other character. */
function byUserId(db: Db, engine: Engine, query: UserQuery): Find {
  const userId = engine === 'postgres' ? sql`users.user_id collate "C"` : sql`users.user_id`
  return function* (key, limit) {
    const [lastUserId, lastId] = key ?? []
    const from = key ? sql`(${userId}, users.id) > (${lastUserId}, ${lastId})` : sql`${userId} >= ${query.text}`
    const rows = yield* runQuery<Row>(
      db,
      sql`${fromUsers} where ${from} and ${userId} < ${`${query.text}\u{10ffff}`} and ${isKnown} and ${ofTenant(query, sql`users.tenant`)}
        order by ${userId}, users.id ${limited(limit)}`,
    )
    return rows.slice(0, limit).map((row) => toPlaced(row, 'userId', row.user_id, row.id))
  }
}

/** The users of the account, without those whose user id begins with the same text. */
function byAccount(db: Db, query: UserQuery): Find {
  return function* (key, limit) {
    const [lastTenant, lastUserId] = key ?? []
    const isNew = sql`substr(users.user_id, 1, ${sql.lit([...query.text].length)}) <> ${query.text}`
    const found: PlacedUser[] = []
    const all = yield* tenants(db, query)
    for (const tenant of all.slice(key ? Math.max(0, all.indexOf(String(lastTenant))) : 0)) {
      if (found.length >= limit) break
      const rest = tenant === lastTenant ? sql`users.user_id > ${lastUserId}` : sql`1 = 1`
      const rows = yield* runQuery<Row>(
        db,
        sql`${fromUsers} where users.tenant = ${tenant} and users.account = ${query.text} and ${rest} and ${isNew} and users.erased = 0
          order by users.user_id ${limited(limit)}`,
      )
      found.push(...rows.map((row) => toPlaced(row, 'account', row.tenant, row.user_id)))
    }
    return found.slice(0, limit)
  }
}

function toPlaced(row: Row, by: FoundUser['by'], ...key: (string | number)[]): PlacedUser {
  const { id, tenant, account, user_id: userId, openid, subscribed, bound_at: boundAt, label } = row
  return {
    id,
    identity: { tenant, account, userId },
    by,
    binding: openid === null ? null : { openid, subscribed: subscribed === 1, boundAt: boundAt!, label },
    place: [0, ...key],
  }
}
