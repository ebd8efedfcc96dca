/** Adds up the hours of the series to the points of the chart. Pure. */
import type { Overview } from '../server/console/wire.ts'

type Hour = Overview['series'][number]

/** `isPart`: the point is incomplete, because the period begins or ends within it. */
export type Bucket = { at: number; binds: number; unbinds: number; isPart: boolean }

const HOUR_MS = 3_600_000

/**
 * Returns one point per hour for the range of 24 hours, otherwise one point per day of the reader's time zone. `dayOf` returns
 * the beginning of the local day of a time.
 */
export function toBuckets({ range, series, from, until }: Overview, dayOf: (ms: number) => number): Bucket[] {
  if (range === '24h') {
    return series.map(({ at, bound, unbound }) => {
      const isPart = at < from || at + HOUR_MS > until
      return { at, binds: bound, unbinds: unbound, isPart }
    })
  }
  const days = Map.groupBy(series, ({ at }) => dayOf(at))
  const sum = (hours: Hour[], name: 'bound' | 'unbound') => hours.reduce((total, hour) => total + hour[name], 0)
  return [...days].map(([at, hours]) => ({
    at,
    binds: sum(hours, 'bound'),
    unbinds: sum(hours, 'unbound'),
    // The next day begins 23 to 25 hours later, because of daylight-saving time.
    isPart: at < from || dayOf(at + 26 * HOUR_MS) > until,
  }))
}

/** The beginning of the day in the time zone of the browser. */
export function startOfDay(ms: number): number {
  const date = new Date(ms)
  return new Date(date.getFullYear(), date.getMonth(), date.getDate()).getTime()
}
