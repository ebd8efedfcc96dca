/**
 * Reads the figures of a period. With 50 tenants, the sums of 30 days take SQLite some 100 ms, during which no callback can run,
 * and an open page asks again after every event. So the completed hours are read at most once a minute. An instance saves its
 * counts within seconds. Only counts that the store refused at first appear up to a minute late.
 */
import { type ConsoleStore, type FigureSum, type FunnelCounts, funnelSteps } from '../store/console-store.ts'

type FigureStore = Pick<ConsoleStore, 'hourly' | 'byTenant' | 'total'>

export type Period = { from: number; until: number; tenant: string | undefined }

type TenantCounts = FunnelCounts & { tenant: string }

export type PeriodFigures = {
  hourly: (FigureSum & { hour: number })[]
  /** The tenants with the most bindings first. */
  byTenant: TenantCounts[]
  /** The preceding period of the same length. */
  previous: FunnelCounts
}

export const HOUR_MS = 3_600_000

/** The counts of the current hour and of the previous hour still grow. */
const OPEN_MS = 2 * HOUR_MS

const KEPT_MS = 60_000

// The cache has one entry for each range and tenant.
const MAX_KEPT = 100

// The order of the tenants is known only after the sums of both parts are added.
const MAX_TENANTS = 10_000

export function createPeriodFigures(store: FigureStore, clock: () => number) {
  const kept = new Map<string, { at: number; past: Promise<PeriodFigures> }>()

  async function readPast({ from, until, tenant }: Period): Promise<PeriodFigures> {
    const end = until - OPEN_MS
    const [previous, byTenant, hourly] = await Promise.all([
      store.total(from - (until - from), from, tenant),
      store.byTenant(from, end, MAX_TENANTS),
      store.hourly(from, end, tenant),
    ])
    return { previous, byTenant, hourly }
  }

  function pastOf(period: Period): Promise<PeriodFigures> {
    const at = clock()
    const key = JSON.stringify([period.from, period.until, period.tenant])
    const known = kept.get(key)
    if (known && Math.abs(at - known.at) < KEPT_MS) return known.past
    if (kept.size >= MAX_KEPT) kept.clear()
    const past = readPast(period)
    kept.set(key, { at, past })
    past.catch(() => kept.delete(key))
    return past
  }

  /** `from` and `until` are full hours. The period has more than two hours. */
  return async (period: Period): Promise<PeriodFigures> => {
    const open = period.until - OPEN_MS
    const [past, byTenant, hourly] = await Promise.all([
      pastOf(period),
      store.byTenant(open, period.until, MAX_TENANTS),
      store.hourly(open, period.until, period.tenant),
    ])
    return {
      previous: past.previous,
      byTenant: sumByTenant([...past.byTenant, ...byTenant]),
      hourly: [...past.hourly, ...hourly],
    }
  }
}

function sumByTenant(rows: TenantCounts[]): TenantCounts[] {
  const sums = new Map<string, TenantCounts>()
  for (const row of rows) {
    const sum = sums.get(row.tenant)
    if (!sum) sums.set(row.tenant, { ...row })
    else for (const step of funnelSteps) sum[step] += row[step]
  }
  return [...sums.values()].sort((a, b) => b.bound - a.bound || b.shown - a.shown || (a.tenant < b.tenant ? -1 : 1))
}
