/**
 * The figures of the console, in SQL for both engines. An instance counts in memory and adds its counts to the row of the hour and
 * tenant every five seconds, in a transaction of its own. A callback therefore writes no row for the figures. Otherwise all callbacks
 * of an hour would wait for the lock of the same row.
 */
import { type RawBuilder, sql } from 'kysely'
import {
  BIND_SECONDS,
  type ConsoleStore,
  type CountedFigures,
  type FigureSum,
  type Figures,
  type FunnelCounts,
  funnelSteps,
  type InstanceState,
  type WechatErrors,
} from '../console-store.ts'
import type { Plan } from '../plan.ts'
import { query, runQuery } from './compiled-query.ts'
import type { Runners } from './runners.ts'
import type { Db } from './tx-settings.ts'

type FigureReads = 'addFigures' | 'hourly' | 'byTenant' | 'total' | 'wechatErrors' | 'instances'

const buckets = [...BIND_SECONDS.map((seconds) => `within_${seconds}`), 'within_more']
const columns = [...funnelSteps, ...buckets]

// PostgreSQL returns a sum of bigint as numeric, which the driver returns as a text.
const sumOf = (column: string) => sql`cast(coalesce(sum(${sql.ref(column)}), 0) as bigint) as ${sql.ref(column)}`

const funnelSums = sql.join(funnelSteps.map(sumOf))

export function createFigures(db: Db, { read, write }: Runners): Pick<ConsoleStore, FigureReads> {
  const additions = createAdditions(db)
  const select = <Row>(text: RawBuilder<Row>) => read(() => runQuery<Row>(db, text))

  return {
    addFigures: (counted) => write(() => add(additions, counted)),
    async hourly(from, until, tenant) {
      const rows = await select<Record<string, number>>(
        sql`select hour, ${sql.join(columns.map(sumOf))} from figures where ${within(from, until, tenant)} group by hour order by hour`,
      )
      return rows.map((row) => ({ hour: row.hour!, ...toSum(row) }))
    },
    byTenant: (from, until, limit) =>
      select<FunnelCounts & { tenant: string }>(
        sql`select tenant, ${funnelSums} from figures where ${within(from, until)} group by tenant
          order by sum(bound) desc, sum(shown) desc, tenant limit ${limit}`,
      ),
    async total(from, until, tenant) {
      const [row] = await select<FunnelCounts>(
        sql`select ${funnelSums} from figures where ${within(from, until, tenant)}`,
      )
      return row!
    },
    wechatErrors: (since) =>
      select<Omit<WechatErrors, 'hour'>>(
        sql`select errcode, cast(sum(count) as bigint) as count, max(last_at) as "lastAt" from wechat_errors
          where hour >= ${since - HOUR_MS} and last_at >= ${since} group by errcode order by max(last_at) desc limit 20`,
      ),
    instances: () =>
      select<InstanceState>(
        sql`select name, at, waiting, waiting_limit as "waitingLimit", callback_at as "callbackAt", token_at as "tokenAt",
          token_until as "tokenUntil" from instances order by at desc limit 1000`,
      ),
  }
}

const HOUR_MS = 3_600_000

const within = (from: number, until: number, tenant?: string) =>
  tenant === undefined
    ? sql`hour >= ${from} and hour < ${until}`
    : sql`hour >= ${from} and hour < ${until} and tenant = ${tenant}`

const toSum = (row: Record<string, number>): FigureSum => ({
  ...(Object.fromEntries(funnelSteps.map((step) => [step, row[step]!])) as FunnelCounts),
  took: buckets.map((bucket) => row[bucket]!),
})

/** Rows are added in the order of their keys, so that two instances cannot deadlock. */
function* add(queries: Additions, { figures, errors, instance }: CountedFigures): Plan<void> {
  const inOrder = figures.toSorted((a, b) => a.hour - b.hour || (a.tenant < b.tenant ? -1 : 1))
  for (const each of inOrder) yield* queries.addFigures(toParameters(each))
  for (const each of errors.toSorted((a, b) => a.hour - b.hour || a.errcode - b.errcode)) yield* queries.addErrors(each)
  yield* queries.saveInstance(instance)
}

type Additions = ReturnType<typeof createAdditions>

type FigureParameters = Record<string, number | string>

const toParameters = ({ hour, tenant, took, ...counts }: Figures): FigureParameters => ({
  hour,
  tenant,
  ...counts,
  ...Object.fromEntries(buckets.map((bucket, i) => [bucket, took[i]!])),
})

/** These statements are compiled once, because compiling them takes longer than running them. */
function createAdditions(db: Db) {
  const compiled = <P extends object>(build: (parameters: P) => RawBuilder<unknown>) =>
    query((p: P) => ({ compile: () => build(p).compile(db) }))
  const refs = columns.map((name) => sql.ref(name))
  return {
    addFigures: compiled(
      (p: FigureParameters) => sql`insert into figures (hour, tenant, ${sql.join(refs)})
        values (${p.hour}, ${p.tenant}, ${sql.join(columns.map((name) => sql`${p[name]}`))}) on conflict (hour, tenant)
        do update set ${sql.join(refs.map((name) => sql`${name} = figures.${name} + excluded.${name}`))}`,
    ),
    addErrors: compiled(
      (p: WechatErrors) => sql`insert into wechat_errors (hour, errcode, count, last_at)
        values (${p.hour}, ${p.errcode}, ${p.count}, ${p.lastAt}) on conflict (hour, errcode)
        do update set count = wechat_errors.count + excluded.count, last_at = excluded.last_at`,
    ),
    saveInstance: compiled(
      (
        p: InstanceState,
      ) => sql`insert into instances (name, at, waiting, waiting_limit, callback_at, token_at, token_until)
        values (${p.name}, ${p.at}, ${p.waiting}, ${p.waitingLimit}, ${p.callbackAt}, ${p.tokenAt}, ${p.tokenUntil})
        on conflict (name) do update set at = excluded.at, waiting = excluded.waiting, waiting_limit = excluded.waiting_limit,
          callback_at = excluded.callback_at, token_at = excluded.token_at, token_until = excluded.token_until`,
    ),
  }
}
