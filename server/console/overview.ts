/** The console's overview: the funnel, the counts over time, the time to bind, and the state of the servers. */
import type { Deps } from '../deps.ts'
import {
  BIND_SECONDS,
  type FigureSum,
  type FunnelCounts,
  funnelSteps,
  type InstanceState,
} from '../store/console-store.ts'
import { HEARTBEAT_MS } from '../telemetry/figures.ts'
import { accessTokenLight, callbackLight, errorAdvice, errorsLight, waitingLight, webhooksLight } from './lights.ts'
import { createPeriodFigures, HOUR_MS } from './period-figures.ts'
import type { Funnel, Now, Overview, Range, TimeToBind } from './wire.ts'

const hours: Record<Range, number> = { '24h': 24, '7d': 7 * 24, '30d': 30 * 24 }

export const ranges = Object.keys(hours) as Range[]

const MAX_TENANTS = 100

// Three heartbeats. An instance without a report for this time counts as stopped.
const ALIVE_MS = 3 * HEARTBEAT_MS

export function createOverview(deps: Deps) {
  const { store, figures, clock } = deps
  const figuresOf = createPeriodFigures(store.console, clock)

  return async (range: Range, tenant: string | undefined): Promise<Overview> => {
    // A store that cannot be written may still be readable. A later save adds the counts.
    await figures.save().catch(() => {})
    const now = clock()
    const until = now - (now % HOUR_MS) + HOUR_MS
    const from = until - hours[range] * HOUR_MS
    const [{ previous, byTenant, hourly }, present] = await Promise.all([
      figuresOf({ from, until, tenant }),
      readNow(deps, now),
    ])
    const total = sumOfHours(hourly)
    return {
      range,
      tenant: tenant ?? null,
      from,
      until,
      funnel: toFunnel(total),
      previous: toFunnel(previous),
      byTenant: byTenant.slice(0, MAX_TENANTS).map((each) => ({ tenant: each.tenant, ...toFunnel(each) })),
      series: toSeries(hourly, from, until),
      timeToBind: toTimeToBind(total),
      now: present,
    }
  }
}

const toFunnel = (counts: FunnelCounts): Funnel => ({
  shown: counts.shown,
  scanned: counts.scanned,
  confirmed: counts.confirmed,
  bound: counts.bound,
  unbound: counts.unbound,
})

const NOTHING = Object.fromEntries(funnelSteps.map((step) => [step, 0])) as FunnelCounts

function sumOfHours(hourly: FigureSum[]): FigureSum {
  const sum: FigureSum = { ...NOTHING, took: Array<number>(BIND_SECONDS.length + 1).fill(0) }
  for (const each of hourly) {
    for (const step of funnelSteps) sum[step] += each[step]
    each.took.forEach((count, i) => {
      sum.took[i]! += count
    })
  }
  return sum
}

function toSeries(hourly: (FunnelCounts & { hour: number })[], from: number, until: number): Overview['series'] {
  const byHour = new Map(hourly.map((each) => [each.hour, each]))
  const length = (until - from) / HOUR_MS
  return Array.from({ length }, (_, i) => {
    const at = from + i * HOUR_MS
    return { at, ...toFunnel(byHour.get(at) ?? NOTHING) }
  })
}

/** Exported only for the tests. */
export function toTimeToBind({ took }: Pick<FigureSum, 'took'>): TimeToBind {
  const buckets = took.map((count, i) => ({ from: BIND_SECONDS[i - 1] ?? 0, upTo: BIND_SECONDS[i] ?? null, count }))
  const count = took.reduce((all, each) => all + each, 0)
  const quantile = (share: number) => quantileOf(buckets, share * count)
  return count === 0
    ? { count, p50: null, p90: null, p99: null, buckets }
    : { count, p50: quantile(0.5), p90: quantile(0.9), p99: quantile(0.99), buckets }
}

/**
 * Computed as in Prometheus: assumes that the values of a bucket are evenly distributed. For a value in the last bucket, returns
 * the lower limit of that bucket.
 */
function quantileOf(buckets: TimeToBind['buckets'], rank: number): number {
  let before = 0
  for (const { from, upTo, count } of buckets) {
    if (before + count >= rank && count > 0) {
      const seconds = upTo === null ? from : from + ((upTo - from) * (rank - before)) / count
      return Math.round(seconds * 10) / 10
    }
    before += count
  }
  return 0
}

async function readNow({ store, console: { receivers, waitingLimit } }: Deps, now: number): Promise<Now> {
  const since = now - HOUR_MS
  const names = receivers().map(({ name }) => name)
  const thisHour = now - (now % HOUR_MS)
  const [instances, errors, recent, lag, states, lengths] = await Promise.all([
    store.console.instances(),
    store.console.wechatErrors(since),
    store.console.total(thisHour - HOUR_MS, thisHour + HOUR_MS, undefined),
    store.outbox.oldestAt(names),
    store.outbox.receivers(),
    store.outbox.lengths(),
  ])
  const alive = instances.filter(({ at }) => Math.abs(now - at) < ALIVE_MS)
  const waiting = {
    pages: sumOf(alive, 'waiting'),
    // An instance without waiting pages does not report its limit. The displayed limit is therefore at least the limit of this
    // instance.
    limit: Math.max(waitingLimit, sumOf(alive, 'waitingLimit')),
    instances: Math.max(1, alive.length),
  }
  const callbackAt = maxOf(instances, 'callbackAt')
  const newest = instances.toSorted((a, b) => (b.tokenUntil ?? 0) - (a.tokenUntil ?? 0))[0]
  const token = { fetchedAt: newest?.tokenAt ?? null, expiresAt: newest?.tokenUntil ?? null }
  const codes = errors.map((each) => ({ ...each, advice: errorAdvice(each.errcode) }))
  const off = states.filter(({ name, status }) => names.includes(name) && status !== 'on')
  const webhooks = {
    seconds: names.length === 0 ? null : lag === undefined ? 0 : Math.max(0, (now - lag) / 1000),
    receivers: names.length,
    off: off.length,
    waiting: sumOf(lengths, 'waiting'),
    failed: sumOf(lengths, 'failed'),
  }
  return {
    waiting: { ...waitingLight(waiting), ...waiting },
    lastCallback: { ...callbackLight(recent, callbackAt, since), at: callbackAt },
    accessToken: { ...accessTokenLight(token, errors, now), ...token },
    wechatErrors: { ...errorsLight(errors), since, codes },
    webhooks: { ...webhooksLight(webhooks, off), ...webhooks },
  }
}

const sumOf = <K extends string>(rows: Record<K, number>[], key: K) => rows.reduce((all, row) => all + row[key], 0)

function maxOf(rows: InstanceState[], key: 'callbackAt'): number | null {
  const values = rows.flatMap((row) => row[key] ?? [])
  return values.length === 0 ? null : Math.max(...values)
}
